/** What the pool and its workers say to each other. */
import type { ChunkPosition } from "./chunks.ts";
import type { Compression } from "./codec.ts";

/** The first `length` bytes of a buffer that changes hands. */
export interface Piece {
  readonly buffer: ArrayBuffer;
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
  readonly id: number;
  readonly task: Task;
  readonly input: Piece;
  /** Where the result goes; left out when the worker is to give a buffer of its own. */
  readonly output: ArrayBuffer | undefined;
}

/** What a worker answers. */
export type Reply =
  | { readonly id: number; readonly output: Piece; readonly spent: ArrayBuffer }
  | { readonly id: number; readonly error: string; readonly damage: boolean };
