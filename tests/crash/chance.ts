/** Chance that can be replayed: the seed is told, and taken from `CAIRN_SEED`. */
import { tell } from "./settings.ts";

/** Numbers in [0, 1), always the same for the same seed and stream (mulberry32, Tommy Ettinger, public domain). */
export function chance(seed: number, stream: number): () => number {
  let state = (seed ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this run of the suite. */
export const SEED: number = tellSeed(Deno.env.get("CAIRN_SEED"));

function tellSeed(given: string | undefined): number {
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] ?? 1 : Number(given);
  tell(`random kills: replay them with CAIRN_SEED=${seed}`);
  return seed;
}
