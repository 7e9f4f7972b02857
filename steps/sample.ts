/** The sample database of the demo, for those who may not know the adapters. */
export { makeSample, sampleChecksum } from "../adapters/sqlite/sample.ts";
