/** What the SQLite child lends to the job it does. */
import type { Waits } from "./messages.ts";

/** What a job may do beside its work. */
export interface Job {
  /** Reports progress to the main process, and ends this process when the main one is gone. */
  progress(done: number, total: number): void;
  /** Ends this process when the main one is gone: nobody would learn of the result. */
  checkParent(): void;
  /** Has the main process end this one should it say nothing for so long; null takes that back. */
  limitWaits(waits: Waits | null): void;
}
