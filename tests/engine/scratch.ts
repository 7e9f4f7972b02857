/** What engine tests share: a folder that goes away, retry policies that take no time, expected errors. */
import assert from "node:assert/strict";
import { CairnError, type ErrorCode } from "../../errors.ts";
import type { Context, Json, RetryPolicy, Workflow } from "../../engine/workflow.ts";

/** A new folder, removed at the end of the block. */
export async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "cairn-engine-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Retries at once. */
export function retries(retries: number): RetryPolicy {
  return { retries, firstMilliseconds: 1, maxMilliseconds: 1 };
}

/** A workflow of which a test states only what it needs. */
export function workflow<I extends Json, O extends Json>(
  run: (context: Context, input: I) => Promise<O>,
  rest: Partial<Omit<Workflow<I, O>, "run">> = {},
): Workflow<I, O> {
  return { name: "test", version: 1, clean: () => Promise.resolve(), run, ...rest };
}

/** Resolves to the error with which `promise` rejects; it must be a `CairnError` of that code. */
export async function rejection(promise: Promise<unknown>, code: ErrorCode): Promise<CairnError> {
  const error = await promise.then((value) => assert.fail(`resolved to ${JSON.stringify(value)}`), (e) => e);
  assert(error instanceof CairnError, `${error}`);
  assert.equal(error.code, code, `${error.code}: ${error.message}`);
  return error;
}

/** Rejects when the signal is aborted: a step that obeys. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
