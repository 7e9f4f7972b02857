/** When a failed step is tried again, and waiting that can be broken off. */
import type { RetryPolicy } from "./workflow.ts";

/** The policy of a step that states none: five more tries within about a minute. */
export const DEFAULT_RETRY: RetryPolicy = { retries: 5, firstMilliseconds: 1000, maxMilliseconds: 30_000 };

/**
 * The delay before the next try after `errors` thrown errors, in whole milliseconds: exponential with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). `random` is in [0, 1).
 */
export function retryDelay(policy: RetryPolicy, errors: number, random: number): number {
  // Capped: 2 to the power of thousands is infinite, and nothing times infinity no number.
  const growth = 2 ** Math.min(errors - 1, 40);
  const bound = Math.min(policy.maxMilliseconds, policy.firstMilliseconds * growth);
  return Math.round(random * bound);
}

/** Resolves after `milliseconds`; rejects with the signal's reason as soon as it is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The longest single timer: the wall clock is asked again after it, because timers stand still in a suspended host. */
const LONGEST_TIMER_MILLISECONDS = 30_000;

/**
 * Waits until the clock shows `wakeAt`, but never longer than `atMostMilliseconds`, so that a clock that was set
 * back cannot make a run wait for hours. Rejects with the signal's reason.
 */
export async function pauseUntil(
  wakeAt: number,
  atMostMilliseconds: number,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  let left = atMostMilliseconds;
  for (;;) {
    signal.throwIfAborted();
    const wait = Math.min(wakeAt - now(), left, LONGEST_TIMER_MILLISECONDS);
    if (wait <= 0) return;
    await pause(wait, signal);
    left -= wait;
  }
}
