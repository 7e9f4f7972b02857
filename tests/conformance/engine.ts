/** What every engine must do, whatever it is built on: `engineConformance(name, open)` registers the tests. */
import type { Engine, EngineOptions } from "../../engine/engine.ts";
import { runConformance } from "./engine_runs.ts";
import { stepConformance } from "./engine_steps.ts";

/** Opens the engine under test. Two engines on one folder behave as two processes. */
export type OpenEngine = (options: EngineOptions) => Promise<Engine>;

/** Registers the tests. */
export function engineConformance(name: string, open: OpenEngine): void {
  stepConformance(name, open);
  runConformance(name, open);
}
