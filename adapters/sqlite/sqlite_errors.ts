/**
 * What SQLite's messages mean. `node:sqlite` gives a result code only for some calls, so that the text has to do;
 * the texts are those of `sqlite3ErrStr` (SQLite, main.c) and stable since 3.7.
 */
import { CairnError } from "../../errors.ts";

/** A message of SQLite as a user's error, or undefined when it is not one that is expected. */
export function fromSqlite(thrown: unknown, path = "the database"): CairnError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const text = thrown.message;
  const details = (hint?: string) => ({ hint, cause: thrown });
  if (/database (table |schema )?is locked|locking protocol/.test(text)) return locked(path, thrown);
  if (/file is not a database|file is encrypted/.test(text)) return notSqlite(path, thrown);
  if (/malformed/.test(text)) {
    return new CairnError("source_damaged", `${path} is damaged: ${text}`, {
      ...details("restore the last good backup, or try `.recover` of the sqlite3 tool on a copy"),
      passing: false,
    });
  }
  if (/database or disk is full/.test(text)) {
    return new CairnError("no_space", `no space left while writing a copy of ${path}`, {
      ...details("free some space and resume the run"),
    });
  }
  if (/unable to open database file|attempt to write a readonly database|access permission/.test(text)) {
    return new CairnError("permission", `${path} cannot be opened by SQLite: ${text}`, {
      ...details(
        "SQLite must be able to read the file, and for a database in WAL mode to write in its folder: " +
          "run as the user who owns it",
      ),
    });
  }
  if (/disk I\/O error/.test(text)) {
    return new CairnError("io", `${path}: ${text}`, details("check the disk, then run it again"));
  }
  return undefined;
}

/** The error of a lock that others hold too long. */
export function locked(path: string, cause?: unknown): CairnError {
  return new CairnError("source_locked", `${path} is locked by another process for too long`, {
    hint: "let the program that holds it finish or close it, then run it again",
    cause,
  });
}

/** The error of a file of another kind. */
export function notSqlite(path: string, cause?: unknown): CairnError {
  return new CairnError("source_invalid", `${path} is no SQLite database, or an encrypted one`, {
    hint: "check the path; an encrypted database has to be exported by its own program",
    cause,
  });
}
