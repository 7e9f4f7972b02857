/**
 * Checks the names of objects. Keys also come from manifests, which are not trusted, so every store checks every key
 * before it touches anything.
 */
import { CairnError } from "../errors.ts";

/** The longest key, in bytes (keys are ASCII): the limit of Amazon S3 and Google Cloud Storage. */
export const MAX_KEY_BYTES = 1024;

const SEGMENT = /^[A-Za-z0-9._-]+$/;

/** True when `name` can be one segment of a key: `[A-Za-z0-9._-]+`, but not `.` or `..`. */
export function isSegment(name: string): boolean {
  return name !== "." && name !== ".." && SEGMENT.test(name);
}

/**
 * The segments of a key: at least one, each valid, 1,024 bytes in all. Throws `refused` for anything else
 * (`../x`, `/x`, `a//b`, an empty key, a NUL).
 */
export function keySegments(key: string): readonly [string, ...string[]] {
  const [first, ...rest] = key.split("/");
  if (first === undefined || key.length > MAX_KEY_BYTES || ![first, ...rest].every(isSegment)) {
    throw new CairnError("refused", `${quoted(key)} cannot be the name of an object`, {
      hint:
        `names are parts of letters, digits, ".", "_" and "-", joined by "/", ${MAX_KEY_BYTES} bytes at most`,
    });
  }
  return [first, ...rest];
}

/** The segments of a folder, as {@linkcode keySegments}; `""`, the root, has none. */
export function folderSegments(folder: string): readonly string[] {
  return folder === "" ? [] : keySegments(folder);
}

/** Quoted and escaped for a message, cut where it is absurdly long. */
function quoted(key: string): string {
  return JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
}
