/**
 * The one kind of error that Cairn throws on purpose, and the one list of its codes.
 *
 * A message is a sentence without a full stop that names the value and the state wanted; a hint says what to
 * do next. Neither ever holds a secret. Anything that is not a `CairnError` is a defect.
 */

/** What each code means to the process that started Cairn, and whether trying again by itself can help. */
interface Kind {
  /** Exit code of the command line (see `docs/scripting.md`). */
  readonly exit: number;
  /** True when the cause may pass by itself, so that a step is retried. */
  readonly passing: boolean;
}

const kind = (exit: number, passing = false): Kind => ({ exit, passing });

/** Every error code, with its exit code. Codes are part of the JSON interface: they are never renamed. */
export const ERROR_CODES = {
  /** A defect or an unforeseen error of the system. */
  internal: kind(1, true),
  /** A child process or a tool failed. */
  tool_failed: kind(1, true),
  /** A disk or a quota is full. */
  no_space: kind(1, true),
  /** A file or folder could not be read or written. */
  io: kind(1, true),
  /** The source database is damaged. */
  source_damaged: kind(1),
  /** A run failed too often, or needs a person for another reason. */
  stuck: kind(1),
  /** The state folder or a database in it is damaged. */
  state_damaged: kind(1),
  /** The command line is wrong. */
  usage: kind(2),
  /** The configuration is wrong. */
  config: kind(2),
  /** A database, file, artifact, run or store is not there. */
  not_found: kind(3),
  /** Refused before anything was changed, because it would do harm or cannot work. */
  refused: kind(4),
  /** The target of a restore exists. */
  target_exists: kind(4),
  /** The source exists but is no database that Cairn can read. */
  source_invalid: kind(4),
  /** Missing rights on a file, folder, database or store. */
  permission: kind(4),
  /** No key, or the wrong key, for an encrypted artifact. */
  key: kind(4),
  /** Made by a newer Cairn than this one. */
  newer_version: kind(4),
  /** A server or a store does not answer. */
  unreachable: kind(5, true),
  /** A checksum, size or content is not what the manifest says. */
  verification: kind(6),
  /** A database lock is held by others for too long. */
  source_locked: kind(7, true),
  /** Another process holds what this one needs. */
  busy: kind(7),
  /** Another process took this run over; this one must stop without writing. */
  fenced: kind(7),
  /** An object of that name exists with other content. */
  exists: kind(1),
  /** Some destinations were done, others not. */
  partial: kind(8),
  /** Stopped by a signal or by a person. */
  interrupted: kind(130),
} as const satisfies Record<string, Kind>;

/** A code of {@linkcode ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What may stand beside a code and a message. */
export interface ErrorDetails {
  /** What to do next, as a sentence without a full stop. */
  readonly hint?: string | undefined;
  /** What was underneath. */
  readonly cause?: unknown;
  /** Overrides whether a retry can help; by default the code decides. */
  readonly passing?: boolean;
}

/** An error that a user may see. */
export class CairnError extends Error {
  /** Always `CairnError`. */
  override readonly name = "CairnError";
  /** What kind of error it is. */
  readonly code: ErrorCode;
  /** What to do next. */
  readonly hint: string | undefined;
  /** True when trying again by itself can help. */
  readonly passing: boolean;

  /** Makes an error; the message is a sentence without a full stop. */

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.passing = details.passing ?? ERROR_CODES[code].passing;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** Turns whatever was thrown into a {@linkcode CairnError}; system errors get the code that fits them. */
export function toCairnError(thrown: unknown): CairnError {
  if (thrown instanceof CairnError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const details = { cause: error };
  if (error instanceof Deno.errors.NotFound) return new CairnError("not_found", error.message, details);
  if (error instanceof Deno.errors.PermissionDenied) {
    return new CairnError("permission", error.message, details);
  }
  if (/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(error.message)) {
    return new CairnError("no_space", error.message, {
      ...details,
      hint: "free some space and resume the run",
    });
  }
  if (error.name === "AbortError") return new CairnError("interrupted", error.message, details);
  return new CairnError("internal", error.message || error.name, details);
}
