/**
 * What every database engine offers to backup and restore.
 *
 * An adapter knows its engine's tools, formats and traps, and nothing of runs, stores, compression or
 * encryption. All that it returns can be written as JSON, because the caller journals it. Its contract is held
 * by one conformance suite (`tests/conformance/adapter.ts`).
 *
 * Every method takes a signal; when it is aborted the method ends its children and rejects.
 */

/** Where a database is, without any secret. */
export type Address = {
  /** The name of the adapter: `sqlite`, … */
  readonly engine: string;
  /** The canonical URL, for example `sqlite:/srv/app.db` (an absolute, real path). */
  readonly url: string;
};

/**
 * An address with what opens it. It lives in memory only, made anew for each call: it is never journaled, logged or put into
 * an error.
 */
export type Access = Address & {
  /** The password of the user in the URL; absent where the server wants none. */
  readonly password?: string;
};

/** Which tables a backup or a restore is about; names as the database spells them. */
export type Selection = {
  /** Only these; empty means all. */
  readonly tables: readonly string[];
  /** All but these. */
  readonly excludeTables: readonly string[];
};

/** What `ping` found. */
export type Ping = {
  /** For example `SQLite 3.50.2`. */
  readonly engineVersion: string;
  readonly latencyMilliseconds: number;
  /** Size of the database, as far as it can be told cheaply. */
  readonly bytes: number;
  /** Further facts worth a line each, for example `journal mode: wal`. */
  readonly facts: readonly string[];
};

/** A table and the number of its rows. */
export type TableCount = { readonly name: string; readonly rows: number };

/** A database that is ready to be dumped. */
export type Snapshot = {
  /** True when the bytes of the dump are fixed in `file` now, so that it can be read again from any offset. */
  readonly frozen: boolean;
  /** The frozen bytes, in the folder that was given; only when `frozen`. */
  readonly file?: string;
  /** The format of the dump: `sqlite`, `pgdump`, `sql`, `archive`. */
  readonly format: string;
  /** What tells this database from every other one; stored only as a hash. */
  readonly fingerprint: string;
  readonly engineVersion: string;
  /** The dump's size: exact when `frozen`, else an estimate. */
  readonly plainBytes: number;
  /** Versions of the client tools used, by name. */
  readonly tools: { readonly [name: string]: string };
  /** Tables and row counts, where they belong to the same point in time as the dump. */
  readonly tables: readonly TableCount[];
  /** What the user should know: for example how long writers were held. */
  readonly warnings: readonly string[];
};

/** What a finished dump says of itself. */
export type DumpFacts = {
  readonly warnings: readonly string[];
  /** Tables and row counts, where only the dump itself could tell them. */
  readonly tables?: readonly TableCount[];
};

/** A dump in progress. */
export interface Dump {
  /** The plain bytes; a byte stream (it can be read with a BYOB reader). */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Settles once the stream has been read to its end (or cancelled): resolves only when every process ended
   * with status 0 and the dump is known to be complete, and rejects with the reason otherwise.
   */
  readonly finished: Promise<DumpFacts>;
}

/** What stands at the place a restore wants to write to. */
export type Target =
  | { readonly state: "missing" | "empty" }
  | { readonly state: "filled"; readonly description: string };

/** A load that is complete and checked, but perhaps not yet visible. */
export type Loaded = {
  readonly tables: readonly TableCount[];
  /** What `commit` needs to know: the adapter's own, journaled by the caller. */
  readonly facts: { readonly [name: string]: string | number | boolean | null };
};

/** What all calls of one restore have in common. */
export interface LoadRequest {
  /** The id of the run: leftovers of its earlier, killed attempts are recognised by it and removed. */
  readonly run: string;
  /** Counts the processes that have executed the run, so that a session on a server can be told from an older one. */
  readonly generation?: number;
  /** A folder for scratch files, which the caller removes. */
  readonly scratch: string;
  /** What of the dump is wanted. */
  readonly selection: Selection;
  /** True when owners and rights are left out: everything belongs to the user who restores. For engines that have such. */
  readonly withoutOwners?: boolean;
  /** True when the content of the target may be replaced. */
  readonly overwrite: boolean;
  /** Ends the call and its children. */
  readonly signal: AbortSignal;
}

/** A database engine. */
export interface Adapter {
  /** The name by which addresses choose it. */
  readonly engine: string;
  /** Reaches the database and tells what it found. Changes nothing. */
  ping(access: Access, signal: AbortSignal): Promise<Ping>;
  /**
   * Checks that a dump can work (versions, rights, completeness of the selection) and prepares it. A file engine makes
   * its consistent, checked copy in `folder`, durable when this resolves; calling it again starts over.
   */
  snapshot(
    access: Access,
    request: {
      readonly folder: string;
      readonly selection: Selection;
      readonly signal: AbortSignal;
      progress(doneBytes: number, totalBytes: number): void;
    },
  ): Promise<Snapshot>;
  /** Starts a dump; `offset` is 0 unless the snapshot is frozen. */
  dump(access: Access, snapshot: Snapshot, request: {
    readonly offset: number;
    readonly selection: Selection;
    readonly signal: AbortSignal;
  }): Dump;
  /** Tells what stands at the target of a restore, without changing it. */
  inspect(access: Access, signal: AbortSignal): Promise<Target>;
  /**
   * Loads a dump of `format` from `plain`, whose chunks become its own, and checks it. The end of the stream alone never
   * commits: a stream that fails leaves the target as it was. Drops what earlier attempts of the same run left. After it
   * resolves, `commit` makes the data visible; an engine that can only load in place does so here and says so in its
   * documentation.
   */
  load(
    access: Access,
    format: string,
    plain: ReadableStream<Uint8Array<ArrayBuffer>>,
    request: LoadRequest,
  ): Promise<Loaded>;
  /** Makes a load visible at the target, durably. Calling it again after a crash at any point does no harm. */
  commit(access: Access, loaded: Loaded, request: LoadRequest): Promise<void>;
  /** Removes what a cancelled restore left at the target, apart from committed data. Safe to repeat. */
  discard(access: Access, request: { readonly run: string; readonly signal: AbortSignal }): Promise<void>;
}
