/** Turns the frames of a part into the bytes that are stored: as they are, or sealed as one age file. */
import { SEALED_UNIT_BYTES, UNIT_BYTES, UNIT_CHUNKS } from "./age_layout.ts";
import type { AgePrefix } from "./age_stream.ts";
import type { PartWriter, StoredPiece } from "./part_writer.ts";
import type { Pool } from "./pool.ts";
import { type Buffers, createBuffers } from "./queue.ts";

/** Packs parts one after the other. */
export interface PartPacker {
  /** Begins a part. */
  begin(): Promise<void>;
  /** Adds a whole frame and releases it when its bytes are no longer needed. */
  add(frame: StoredPiece): Promise<void>;
  /** Ends the part. */
  end(): Promise<void>;
}

/** Frames are stored as they are. */
export function createPlainPacker(writer: PartWriter): PartPacker {
  return {
    begin: () => Promise.resolve(),
    add: (frame) => writer.write(Promise.resolve(frame)),
    end: () => Promise.resolve(),
  };
}

/** Every part becomes an age file for all of `recipients`, with a key of its own; its chunks are sealed by the pool. */
export function createAgePacker(
  writer: PartWriter,
  recipients: readonly string[],
  pool: Pool,
  signal: AbortSignal,
): PartPacker {
  const units: Buffers = createBuffers(pool.workers + 2, UNIT_BYTES, signal);
  const sealed: Buffers = createBuffers(pool.workers + 2, SEALED_UNIT_BYTES, signal);
  let age: AgePrefix | undefined;
  let unit: ArrayBuffer | undefined;
  let used = 0;
  let counter = 0;

  /** Only the unit at the end of a part may be no multiple of a chunk, or empty. */
  async function flush(last: boolean): Promise<void> {
    if (!age) throw new Error("no part was begun");
    const input = { buffer: unit ?? await units.take(), length: used };
    const task = { kind: "seal", key: age.key, counter, last } as const;
    unit = undefined;
    used = 0;
    counter += UNIT_CHUNKS;
    const stored = pool.run(task, input, await sealed.take()).then(({ output, spent }): StoredPiece => {
      units.give(spent);
      return {
        bytes: new Uint8Array(output.buffer, 0, output.length),
        release: () => sealed.give(output.buffer),
      };
    });
    stored.catch(() => {});
    await writer.write(stored);
  }

  return {
    async begin() {
      const { beginAge } = await import("./age_stream.ts");
      age = await beginAge(recipients);
      counter = 0;
      await writer.write(Promise.resolve({ bytes: age.prefix, release() {} }));
    },
    async add(frame) {
      for (let done = 0; done < frame.bytes.length;) {
        // A full unit is sealed when more comes, because it may be the part's last.
        if (used === UNIT_BYTES) await flush(false);
        unit ??= await units.take();
        const taken = frame.bytes.subarray(done, done + UNIT_BYTES - used);
        new Uint8Array(unit).set(taken, used);
        used += taken.length;
        done += taken.length;
      }
      frame.release();
    },
    end: () => flush(true),
  };
}
