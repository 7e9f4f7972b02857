/** What the conformance suite of adapters needs of an engine, and how its tests back up and restore. */
import assert from "node:assert/strict";
import type {
  Adapter,
  Address,
  Dump,
  Loaded,
  LoadRequest,
  Selection,
  Snapshot,
} from "../../adapters/adapter.ts";
import { CairnError, type ErrorCode } from "../../errors.ts";

/** A process that changes a database while it is backed up. */
export interface Writer {
  /** Ends the process; throws when any of its transactions failed. Returns how many it made. */
  stop(): Promise<number>;
}

/** What the suite needs of an engine. One harness serves one test, and removes everything when disposed. */
export interface AdapterHarness extends AsyncDisposable {
  readonly adapter: Adapter;
  /** A folder for copies and scratch files. */
  readonly folder: string;
  /** Whether `load` can restore a selection of the tables of a dump. */
  readonly selectsOnLoad: boolean;
  /** True when `load` itself writes to the target, so that `discard` cannot bring back what was overwritten. */
  readonly loadsInPlace: boolean;
  /**
   * Makes a database. `filled` has the tables `account` (id, balance; see {@linkcode AdapterHarness.total}), `note` and
   * `log` with rows of every type; `other` has one table `other`; `bare` has no table.
   */
  create(content: "filled" | "other" | "bare"): Promise<Address>;
  /** An address where no database is yet, but one could be made. */
  missing(): Promise<Address>;
  /** The whole content as a value for `deepEqual`: schema, typed rows, settings. */
  read(address: Address): Promise<unknown>;
  /** The names of the tables. */
  tables(address: Address): Promise<readonly string[]>;
  /** The sum of all balances, which a transfer never changes. */
  total(address: Address): Promise<number>;
  /** Starts a process that makes transfers between accounts as fast as it can; resolves once it has made some. */
  startWriter(address: Address): Promise<Writer>;
  /** What stands around the databases that is no database: temporary files, markers, sessions. */
  leftovers(): Promise<readonly string[]>;
}

/** All tables. */
export const EVERYTHING: Selection = { tables: [], excludeTables: [] };

/** A backup that is held in memory. */
export interface Backup {
  readonly snapshot: Snapshot;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Takes a snapshot and reads its dump. */
export async function backUp(
  harness: AdapterHarness,
  source: Address,
  selection: Selection = EVERYTHING,
  folder = "copy",
): Promise<Backup> {
  const snapshot = await takeSnapshot(harness, source, selection, folder);
  const dump = harness.adapter.dump(source, snapshot, { offset: 0, selection, signal: live() });
  const bytes = await readAll(dump);
  await dump.finished;
  return { snapshot, bytes };
}

/** Loads and commits a backup. */
export async function restore(
  harness: AdapterHarness,
  backup: Backup,
  target: Address,
  changes: Partial<LoadRequest> = {},
): Promise<void> {
  const loaded = viaJournal(await load(harness, backup, target, changes));
  await harness.adapter.commit(target, loaded, request(harness, changes));
}

/** Takes a snapshot in a folder of the harness. */
export async function takeSnapshot(
  h: AdapterHarness,
  source: Address,
  selection = EVERYTHING,
  name = "copy",
) {
  const folder = `${h.folder}/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  return viaJournal(await h.adapter.snapshot(source, { folder, selection, signal: live(), progress() {} }));
}

/** Loads a backup, by default from a stream of its bytes. */
export function load(
  h: AdapterHarness,
  backup: Backup,
  target: Address,
  changes: Partial<LoadRequest> = {},
  plain = streamOf(backup.bytes),
): Promise<Loaded> {
  return h.adapter.load(target, backup.snapshot.format, plain, request(h, changes));
}

/** The request of a restore, with changes. */
export function request(h: AdapterHarness, changes: Partial<LoadRequest> = {}): LoadRequest {
  const base = { run: "run-1", scratch: h.folder, selection: EVERYTHING, overwrite: false, signal: live() };
  return { ...base, ...changes };
}

/** Results are journaled as JSON, and must survive that. */
export function viaJournal<T>(value: T): T {
  const copy: T = JSON.parse(JSON.stringify(value));
  assert.deepEqual(copy, value);
  return copy;
}

/** A signal that is never aborted. */
export function live(): AbortSignal {
  return new AbortController().signal;
}

/** Reads a dump to its end. */
export async function readAll(dump: Dump): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(dump.stream).arrayBuffer());
}

/** Reads until the stream ends or fails. */
export async function readToEnd(reader: ReadableStreamBYOBReader): Promise<void> {
  while (!(await reader.read(new Uint8Array(1 << 16))).done);
}

function* piecesOf(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  let size = 1;
  for (let done = 0; done < bytes.length; done += size) {
    size = (size * 7) % 65_521;
    yield bytes.slice(done, done + size);
  }
}

/** Delivers bytes in uneven pieces. */
export function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(piecesOf(bytes));
}

/** Delivers a share of the bytes, then fails. */
export function failing(
  bytes: Uint8Array<ArrayBuffer>,
  share: number,
  failure: Error,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from((function* () {
    yield* piecesOf(bytes.slice(0, Math.floor(bytes.length * share)));
    throw failure;
  })());
}

/** Delivers the bytes, calls `then`, and never ends. */
export function stalling(
  bytes: Uint8Array<ArrayBuffer>,
  then: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = piecesOf(bytes);
  return new ReadableStream({
    pull(controller) {
      const { value, done } = pieces.next();
      if (!done) return controller.enqueue(value);
      then();
      return new Promise(() => {});
    },
  });
}

/** Tells the error `failure`, or one that it caused. */
export function isCausedBy(failure: Error): (error: unknown) => boolean {
  return (error) => error === failure || (error instanceof Error && error.cause === failure);
}

/** Waits for a {@linkcode CairnError} of that code. */
export async function assertCode(code: ErrorCode, promise: Promise<unknown>): Promise<CairnError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof CairnError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected ${code}`);
}
