/** Turns errors of the file system into errors that a person can act on. */
import { CairnError, type ErrorCode } from "../errors.ts";

/** What an error number means here: our code, the reason in words, and what to do. */
type Meaning = readonly [code: ErrorCode, reason: string, hint?: string];

const FULL = "free some space and resume the run";
const RIGHTS = "check the owner and the mode of the folder, or run as its owner";
const MOUNT = "check that its file system is mounted and answers";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: ["not_found", "it does not exist"],
  EACCES: ["permission", "permission denied", RIGHTS],
  EPERM: ["permission", "the system does not permit it", RIGHTS],
  EROFS: ["permission", "the file system is read-only", "mount it for writing, or choose another folder"],
  ENOSPC: ["no_space", "no space left on the device", FULL],
  EDQUOT: ["no_space", "the disk quota is used up", FULL],
  EFBIG: ["no_space", "the file is too large for its file system", "choose a smaller part size"],
  ENAMETOOLONG: ["refused", "the name is too long for this file system"],
  ELOOP: [
    "refused",
    "it is a symbolic link",
    "a store holds real files only: replace the link by its target",
  ],
  EISDIR: ["exists", "a folder has that name"],
  ENOTDIR: ["refused", "a part of its path is a file, not a folder"],
  EXDEV: [
    "refused",
    "it lies on another file system than the store",
    "keep the whole store on one file system",
  ],
  ESTALE: ["unreachable", "the network file system lost the file", MOUNT],
  ENOTCONN: ["unreachable", "its file system is not connected", MOUNT],
  ETIMEDOUT: ["unreachable", "its file system does not answer", MOUNT],
  EHOSTDOWN: ["unreachable", "its file system does not answer", MOUNT],
  EIO: ["io", "the disk reports an input/output error", "check the disk (`dmesg`, `smartctl`)"],
  EMFILE: ["io", "too many files are open", "raise the limit of open files (`ulimit -n`)"],
};

/** The error number of a system error in letters (`ENOENT`), from Deno's or Node's interface, else undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** True when the file or folder is not there: the name is missing, or a parent is no folder. */
export function isMissing(thrown: unknown): boolean {
  const code = systemCode(thrown);
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * The error to throw when `doing` (for example `cannot read /srv/x`) failed with `thrown`. A `CairnError` stays what
 * it is; an error number that is not foreseen becomes `io`; anything else is a defect and stays as it is.
 */
export function systemError(thrown: unknown, doing: string): unknown {
  const code = systemCode(thrown);
  if (thrown instanceof CairnError || !(thrown instanceof Error) || code === undefined) return thrown;
  const [kind, reason, hint] = MEANINGS[code] ?? ["io", thrown.message];
  return new CairnError(kind, `${doing}: ${reason}`, { hint, cause: thrown });
}
