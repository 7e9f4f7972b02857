/**
 * Finds the configuration file, and refuses one that somebody else may write: its commands and paths would be used with
 * the rights of whoever runs Cairn.
 */
import { basename, dirname, join, resolve } from "node:path";
import { CairnError } from "../errors.ts";
import { baseFolder, type ReadVariable } from "./paths.ts";

/** Far more than a person writes. */
const MAX_BYTES = 1 << 20;
const WRITABLE_BY_OTHERS = 0o022;

/** Where to look. */
export interface Surroundings {
  /** What `--config` says. */
  readonly flag?: string | undefined;
  /** The working folder. */
  readonly folder: string;
  readonly read: ReadVariable;
  /** The file of the whole system. */
  readonly systemFile: string;
}

/** A configuration file that may be used. */
export interface FoundConfig {
  /** Absolute. */
  readonly file: string;
  /** As a person would call it. */
  readonly shown: string;
  readonly text: string;
}

/**
 * The first of: the flag, `CAIRN_CONFIG`, `cairn.yaml` in the working folder, the user's and the system's; undefined
 * when there is none.
 *
 * Throws `not_found` when a named file is missing, `refused` when a file could have been written by others, or the one in
 * the working folder belongs to another user, `permission`, and `config` for what is no text.
 */
export async function findConfig(surroundings: Surroundings): Promise<FoundConfig | undefined> {
  const { flag, folder, read, systemFile } = surroundings;
  const named = flag || read("CAIRN_CONFIG");
  if (named) {
    const found = await openConfig(resolve(folder, named), named);
    if (found !== undefined) return found;
    throw new CairnError("not_found", `the configuration file ${named} does not exist`, {
      hint: flag ? "check what --config says" : "check the environment variable CAIRN_CONFIG",
    });
  }
  const here = await openConfig(join(folder, "cairn.yaml"), "cairn.yaml", checkHere);
  if (here !== undefined) return here;
  const base = baseFolder("XDG_CONFIG_HOME", ".config", read);
  const users = base === undefined ? undefined : join(base, "cairn", "cairn.yaml");
  const ofUser = users === undefined ? undefined : await openConfig(users, users);
  return ofUser ?? await openConfig(systemFile, systemFile);
}

/** Reads a file after looking at the very file that was opened, so that it cannot be changed for another between. */
async function openConfig(
  path: string,
  shown: string,
  check?: (path: string, info: Deno.FileInfo) => Promise<void>,
): Promise<FoundConfig | undefined> {
  using file = await openIfThere(path, shown);
  if (file === undefined) return undefined;
  const info = await file.stat();
  if (info.isDirectory) throw new CairnError("config", `${shown} is a folder, not a configuration file`);
  if (((info.mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
    throw new CairnError("refused", `other users may write ${shown}, so it cannot be trusted`, {
      hint: `chmod go-w ${shellWord(path)}`,
    });
  }
  await check?.(path, info);
  if (info.size > MAX_BYTES) throw new CairnError("config", `${shown} is too large: ${info.size} bytes`);
  return { file: path, shown, text: await readText(file, shown) };
}

async function openIfThere(path: string, shown: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return undefined;
    const denied = cause instanceof Deno.errors.PermissionDenied;
    throw new CairnError(denied ? "permission" : "io", `the configuration file ${shown} cannot be opened`, {
      hint: denied ? "check its owner and mode" : undefined,
      cause,
    });
  }
}

async function readText(file: Deno.FsFile, shown: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await new Response(file.readable).arrayBuffer());
  } catch (cause) {
    throw new CairnError("config", `${shown} is not text in UTF-8`, { cause });
  }
}

/** A file in the working folder was not named by anyone, so it counts only when it and the folder are the caller's own. */
async function checkHere(path: string, info: Deno.FileInfo): Promise<void> {
  const caller = Deno.uid();
  const [link, folder] = await Promise.all([Deno.lstat(path), Deno.stat(dirname(path))]);
  const hint = "name it with --config if you trust it";
  if (caller !== null && [info, link, folder].some(({ uid }) => uid !== caller)) {
    const what = folder.uid === caller ? path : `the folder ${dirname(path)}`;
    throw new CairnError("refused", `${what} belongs to another user, so its ${basename(path)} is not used`, {
      hint,
    });
  }
  if (((folder.mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
    throw new CairnError(
      "refused",
      `other users may write ${dirname(path)}, so its ${basename(path)} is not used`,
      {
        hint: `chmod go-w ${shellWord(dirname(path))}, or ${hint}`,
      },
    );
  }
}

function shellWord(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
