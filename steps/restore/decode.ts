/** The decode stage: the parts of an artifact as the plain dump, every checksum checked on the way. */
import type { Store } from "../../storage/storage.ts";
import { openParts } from "../../streams/open_parts.ts";
import type { Pool } from "../../streams/pool.ts";
import { artifactKeys } from "../artifact.ts";
import type { PrivatePart } from "../manifest.ts";
import type { Located } from "./locate.ts";

/** What decoding needs. */
export interface DecodeTools {
  readonly store: Store;
  readonly pool: Pool;
  readonly identities: readonly string[];
  /** The opened private part, which holds the checksum of the whole. */
  readonly opened: PrivatePart;
  readonly signal: AbortSignal;
  /** Told how much is decoded so far, in bytes. */
  progress?(doneBytes: number, totalBytes: number): void;
}

/** The plain dump as a stream that fails, rather than ends, unless everything is as the manifest says. */
export function decode(
  { manifest, label }: Located,
  { store, pool, identities, opened, signal, progress }: DecodeTools,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { folder } = artifactKeys(label, manifest);
  let plainBytes = 0;
  return openParts(manifest.parts.map((part) => ({ ...part, artifact: manifest.id })), {
    open: (part, signal) => store.get(`${folder}/${part.name}`, { signal }),
    codec: manifest.codec,
    identities,
    plainBytes: manifest.plainBytes,
    plainSha256: opened.plainSha256,
    pool,
    signal,
    onPlain: (bytes) => progress?.(plainBytes += bytes, manifest.plainBytes),
  });
}
