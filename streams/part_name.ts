/** Names of parts and the suffixes that tell how to decode them. */
import type { Codec } from "./codec.ts";

const SUFFIXES = { zstd: "zst", gzip: "gz", none: "bin" } as const satisfies Record<Codec, string>;

/** The name of a part, for example `000001.zst.age`. Parts are numbered from 1. */
export function partName(number: number, codec: Codec, encrypted: boolean): string {
  return `${String(number).padStart(6, "0")}.${SUFFIXES[codec]}${encrypted ? ".age" : ""}`;
}
