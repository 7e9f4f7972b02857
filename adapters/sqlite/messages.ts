/**
 * What the main process and its SQLite child say to each other: one request as a line of JSON, then any number of
 * progress lines and one reply. Both ends are the same program, so that the lines are trusted.
 */
import type { ErrorCode } from "../../errors.ts";
import type { Selection, TableCount } from "../adapter.ts";

/** What the file of a database says of itself. */
export type Facts = {
  readonly engineVersion: string;
  /** Bytes of the main file and of its write-ahead log. */
  readonly bytes: number;
  readonly journalMode: string;
  readonly pageSize: number;
  readonly encoding: string;
  /** Ordinary and virtual tables. */
  readonly tables: number;
};

/** What a consistent copy is. */
export type Copied = {
  readonly engineVersion: string;
  readonly tables: readonly TableCount[];
  readonly warnings: readonly string[];
};

/** A database, perhaps one without content, at the target of a restore. */
export type FoundDatabase = {
  readonly kind: "database";
  readonly tables: number;
  readonly views: number;
  readonly journalMode: string;
};

/** What stands at a path. */
export type Found = { readonly kind: "missing" } | { readonly kind: "other" } | FoundDatabase;

/** Whose locks a job waits for in native code, where only the main process can end it. */
export type Waits = { readonly path: string; readonly lockLimitMilliseconds: number };

/** How long to wait for the locks of other processes. */
type Waiting = { readonly lockLimitMilliseconds: number };

/** Every call: its name, what it needs and what it answers. */
export interface Calls {
  /** Reads the facts of a database. */
  facts: { input: Waiting & { readonly path: string }; output: Facts };
  /** Copies a live database to `target` (made anew) and checks the copy. */
  copy: {
    input: Waiting & {
      readonly source: string;
      readonly target: string;
      /** A name in the same folder for what is only needed in between. */
      readonly scratch: string;
      readonly selection: Selection;
    };
    output: Copied;
  };
  /** Checks a database file that nobody else uses, reduces it to a selection, and counts its rows. */
  settle: {
    input: { readonly path: string; readonly scratch: string; readonly selection: Selection };
    output: { readonly tables: readonly TableCount[] };
  };
  /** Tells what stands at a path. */
  inspect: { input: Waiting & { readonly path: string }; output: Found };
  /** Replaces the content of the database `target` by that of the file `source`, in one transaction. */
  replace: {
    input: Waiting & {
      readonly source: string;
      readonly target: string;
      readonly journalMode: string;
      /** False: only a target that is empty, or that this call filled before, may be written to. */
      readonly overwrite: boolean;
    };
    output: null;
  };
  /** Replaces the tables that `source` has in `target`, in one transaction. */
  transplant: {
    input: Waiting & { readonly source: string; readonly target: string };
    output: null;
  };
}

/** The name of a call. */
export type CallName = keyof Calls;

/** The line that the child reads. */
export type Request = {
  [K in CallName]: { readonly call: K; readonly input: Calls[K]["input"]; readonly parent: number };
}[CallName];

/** An error on its way to the main process. */
export type Failure = { readonly code: ErrorCode; readonly message: string; readonly hint: string | null };

/** A line that the child writes. */
export type Reply<K extends CallName> =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "limit"; readonly waits: Waits | null }
  | { readonly kind: "result"; readonly value: Calls[K]["output"] }
  | { readonly kind: "failed"; readonly error: Failure };
