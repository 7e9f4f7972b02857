/** Rows of `control.db`, checked as they come in. */
import type { SQLOutputValue } from "node:sqlite";
import { CairnError, ERROR_CODES, type ErrorCode } from "../errors.ts";
import type { RunError } from "./run.ts";

/** A row as SQLite gives it. */
export type Row = Record<string, SQLOutputValue>;

/** What the `status` column of a run holds. */
export type StoredStatus = "queued" | "running" | "interrupted" | "stuck" | "failed" | "done" | "cancelled";

/** The hot row of a run. */
export interface RunRow {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  readonly label: string;
  readonly status: StoredStatus;
  readonly generation: number;
  readonly recoveries: number;
  readonly finishedAtRecovery: number;
  readonly stoppedBy: "person" | "shutdown" | null;
  readonly cancelRequested: boolean;
  readonly locks: readonly string[];
  readonly ownerPid: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: RunError | null;
}

/** The row of a step. */
export interface StepRow {
  readonly name: string;
  readonly status: "running" | "waiting" | "failed" | "done";
  readonly attempts: number;
  readonly errors: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly wakeAt: number | null;
  readonly busy: number;
  readonly progress: number;
  readonly total: number | null;
  /** JSON; only of a step that is done. */
  readonly result: string | null;
  readonly error: RunError | null;
}

/** Reads a row of `run`. */
export function runRow(row: Row): RunRow {
  return {
    id: text(row, "id"),
    workflow: text(row, "workflow"),
    version: integer(row, "version"),
    label: text(row, "label"),
    status: oneOf(row, "status", [
      "queued",
      "running",
      "interrupted",
      "stuck",
      "failed",
      "done",
      "cancelled",
    ]),
    generation: integer(row, "generation"),
    recoveries: integer(row, "recoveries"),
    finishedAtRecovery: integer(row, "finished_at_recovery"),
    stoppedBy: textOrNull(row, "stopped_by") === null
      ? null
      : oneOf<"person" | "shutdown">(row, "stopped_by", ["person", "shutdown"]),
    cancelRequested: integer(row, "cancel_requested") === 1,
    locks: strings(text(row, "locks")),
    ownerPid: integerOrNull(row, "owner_pid"),
    createdAt: integer(row, "created_ms"),
    startedAt: integerOrNull(row, "started_ms"),
    endedAt: integerOrNull(row, "ended_ms"),
    error: errorOf(row),
  };
}

/** Reads a row of `step`. */
export function stepRow(row: Row): StepRow {
  return {
    name: text(row, "name"),
    status: oneOf(row, "status", ["running", "waiting", "failed", "done"]),
    attempts: integer(row, "attempts"),
    errors: integer(row, "errors"),
    startedAt: integer(row, "started_ms"),
    endedAt: integerOrNull(row, "ended_ms"),
    wakeAt: integerOrNull(row, "wake_ms"),
    busy: integer(row, "busy_ms"),
    progress: integer(row, "progress"),
    total: integerOrNull(row, "total"),
    result: textOrNull(row, "result"),
    error: errorOf(row),
  };
}

/** Turns a stored error back into one that can be thrown; it is not retried. */
export function storedError(error: RunError | null): CairnError {
  if (error === null) return new CairnError("internal", "a step failed without an error");
  return new CairnError(error.code, error.message, { hint: error.hint ?? undefined, passing: false });
}

/** A column that holds text. Throws `state_damaged`. */
export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : unexpected(column);
}

/** A column that holds text or nothing. Throws `state_damaged`. */
export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

/** A column that holds a whole number. Throws `state_damaged`. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  return typeof value === "number" ? value : unexpected(column);
}

function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

function oneOf<T extends string>(row: Row, column: string, values: readonly T[]): T {
  return values.find((value) => value === row[column]) ?? unexpected(column);
}

function errorOf(row: Row): RunError | null {
  const code = textOrNull(row, "error_code");
  if (code === null) return null;
  return {
    // A code of a newer Cairn is none of ours.
    code: isErrorCode(code) ? code : "internal",
    message: text(row, "error_message"),
    hint: textOrNull(row, "error_hint"),
  };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function strings(json: string): readonly string[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.map(String) : unexpected("locks");
}

function unexpected(column: string): never {
  throw new CairnError(
    "state_damaged",
    `the control database holds an unexpected value in column ${column}`,
    {
      hint: "backups are not affected: move control.db away and start again",
    },
  );
}
