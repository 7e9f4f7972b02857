/** What the pool and its workers say to each other. */
import type { ChunkPosition } from "./chunks.ts";
import type { Compression } from "./codec.ts";

/** The first `length` bytes of a buffer that changes hands. */
export interface Piece {
  /** It may be larger than what counts. */
  readonly buffer: ArrayBuffer;
  /** How many bytes count. */
  readonly length: number;
}

/** What a worker is to do with a piece. */
export type Task =
  | { readonly kind: "compress"; readonly codec: Compression; readonly level: number }
  | { readonly kind: "decompress"; readonly codec: Compression; readonly plainBytes: number }
  | ({ readonly kind: "seal" } & ChunkPosition)
  | ({ readonly kind: "open" } & ChunkPosition);

/** A task on its way to a worker. */
export interface Request {
  /** Repeated in the reply. */
  readonly id: number;
  /** What to do. */
  readonly task: Task;
  /** With what; its buffer goes to the worker. */
  readonly input: Piece;
  /** Where the result goes; left out when the worker is to give a buffer of its own. */
  readonly output: ArrayBuffer | undefined;
}

/** What a worker answers. */
export type Reply =
  | { readonly id: number; readonly output: Piece; readonly spent: ArrayBuffer }
  | { readonly id: number; readonly error: string; readonly damage: boolean };
