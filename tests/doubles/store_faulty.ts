/**
 * A store that misbehaves on purpose: the N-th call of a kind fails, fails after it was applied, waits, answers short, or
 * takes the whole process with it. It also keeps a record of everything it was asked to put.
 */
import { createHash } from "node:crypto";
import { CairnError } from "../../errors.ts";
import { hashFile } from "../../streams/durable.ts";
import type { Content, Store } from "../../storage/storage.ts";

/** The calls that can go wrong. */
export type Call = "put" | "get" | "stat" | "list" | "delete";

/** What goes wrong. */
export type Fault =
  /** Nothing is done; `error` is thrown, by default `unreachable`. */
  | { readonly kind: "error"; readonly error?: unknown }
  /** The call is done, its answer lost. */
  | { readonly kind: "error-after"; readonly error?: unknown }
  /** A `get` gives only its first `bytes`, then fails as the contract says, or ends as a broken store might. */
  | { readonly kind: "short"; readonly bytes: number; readonly ending: "fails" | "ends" }
  /** The call waits for `until`, then goes on. `reached` is called when it begins to wait. */
  | { readonly kind: "delay"; readonly until: Promise<unknown>; readonly reached?: () => void }
  /** SIGKILL to this process, before or after the call is done. */
  | { readonly kind: "kill"; readonly when: "before" | "after" };

/** Which call a fault meets. */
export interface Rule {
  readonly call: Call;
  /** Only calls whose key (or folder) matches are counted. */
  readonly key?: RegExp;
  /** The first call it meets, counted from 1. */
  readonly nth: number;
  /** How many calls in a row it meets; by default 1. */
  readonly times?: number;
  readonly fault: Fault;
}

/** One `put` that the store was asked for. */
export interface PutRecord {
  readonly key: string;
  readonly mode: "create" | "replace";
  /** SHA-256 of the content. */
  readonly sha256: string;
}

/** What to do wrong, and where to write it down. */
export interface FaultyOptions {
  readonly rules?: readonly Rule[];
  /** A file to which each put is appended as a JSON line before it is done, so that records outlive kills. */
  readonly record?: string;
}

/** A store with faults, and what it saw. */
export interface FaultyStore extends Store {
  /** Every call so far, as `put shop/a`. */
  readonly calls: readonly string[];
  /** Every put so far, done or not. */
  readonly puts: readonly PutRecord[];
}

/** Wraps `inner` with the faults of `options`; without rules it only records. */
export function faultyStore(inner: Store, options: FaultyOptions = {}): FaultyStore {
  const calls: string[] = [];
  const puts: PutRecord[] = [];
  const seen = new Map<Rule, number>();

  function faultFor(call: Call, key: string): Fault | undefined {
    calls.push(`${call} ${key}`);
    let met: Fault | undefined;
    for (const rule of options.rules ?? []) {
      if (rule.call !== call || !(rule.key?.test(key) ?? true)) continue;
      const count = (seen.get(rule) ?? 0) + 1;
      seen.set(rule, count);
      if (count >= rule.nth && count < rule.nth + (rule.times ?? 1)) met ??= rule.fault;
    }
    return met;
  }

  async function suffer<T>(
    call: Call,
    key: string,
    work: () => Promise<T>,
    fault = faultFor(call, key),
  ): Promise<T> {
    if (fault?.kind === "error") throw failure(fault.error, call, key);
    if (fault?.kind === "kill" && fault.when === "before") await die();
    if (fault?.kind === "delay") {
      fault.reached?.();
      await fault.until;
    }
    const result = await work();
    if (fault?.kind === "error-after") {
      if (result instanceof ReadableStream) await result.cancel();
      throw failure(fault.error, call, key);
    }
    if (fault?.kind === "kill") await die();
    return result;
  }

  return {
    url: inner.url,
    capabilities: inner.capabilities,
    calls,
    puts,
    async put(key, content, mode, call) {
      const sha256 = await hashOf(content);
      const made = sha256 === undefined ? undefined : { key, mode, sha256 };
      if (made) puts.push(made);
      if (made && options.record !== undefined) {
        await Deno.writeTextFile(options.record, JSON.stringify(made) + "\n", { append: true });
      }
      return await suffer("put", key, () => inner.put(key, content, mode, call));
    },
    async get(key, call) {
      const fault = faultFor("get", key);
      const stream = await suffer("get", key, () => inner.get(key, call), fault);
      return fault?.kind === "short" ? cutShort(stream, fault, key) : stream;
    },
    stat: (key, call) => suffer("stat", key, () => inner.stat(key, call)),
    list: (folder, call) => suffer("list", folder, () => inner.list(folder, call)),
    delete: (key, call) => suffer("delete", key, () => inner.delete(key, call)),
    close: () => inner.close(),
  };
}

/** The names that `create` was asked to give to more than one content: always empty, or a promise is broken. */
export function namesWithTwoContents(puts: Iterable<PutRecord>): string[] {
  const hashes = new Map<string, Set<string>>();
  for (const { key, mode, sha256 } of puts) {
    if (mode === "create") hashes.set(key, (hashes.get(key) ?? new Set()).add(sha256));
  }
  return [...hashes].filter(([, contents]) => contents.size > 1).map(([key]) => key);
}

/** The puts in a file that `record` named, of all processes that wrote to it. */
export async function readPuts(record: string): Promise<PutRecord[]> {
  const lines = (await Deno.readTextFile(record)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

function failure(error: unknown, call: Call, key: string): unknown {
  return error ?? new CairnError("unreachable", `the store fails on purpose at ${call} ${key}`);
}

/** Ends this process as a power cut would; never resolves. */
async function die(): Promise<void> {
  Deno.kill(Deno.pid, "SIGKILL");
  await new Promise<never>(() => {});
}

/** Undefined for a file that is not there, which the store itself shall refuse. */
async function hashOf(content: Content): Promise<string | undefined> {
  if ("bytes" in content) return createHash("sha256").update(content.bytes).digest("hex");
  try {
    return (await hashFile(content.file)).sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function cutShort(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  fault: Extract<Fault, { kind: "short" }>,
  key: string,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let left = fault.bytes;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { done, value } = left > 0 ? await reader.read() : { done: false, value: undefined };
      if (value !== undefined) {
        controller.enqueue(value.slice(0, left));
        left -= value.byteLength;
        return;
      }
      await reader.cancel();
      if (!done && fault.ending === "fails") throw failure(undefined, "get", key);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
