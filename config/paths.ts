/** How paths in the configuration are read, and where Cairn's folders are. */
import { isAbsolute, join, resolve } from "node:path";
import { CairnError } from "../errors.ts";

/** Reads an environment variable; a parameter so that tests need not change their own environment. */
export type ReadVariable = (name: string) => string | undefined;

/** Two letters at least, so that `C:\backups` is a path. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** True for `s3://…` and `sqlite:…`, false for a path. */
export function isUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** An absolute path: `~/` is the home folder, and a relative one is relative to `folder`. */
export function absolutePath(text: string, folder: string, read: ReadVariable): string {
  const home = read("HOME");
  return home && /^~(\/|$)/.test(text) ? join(home, text.slice(1)) : resolve(folder, text);
}

/**
 * A folder of the XDG base directory specification: the variable, when it holds an absolute path (others are to be
 * ignored), else the fallback in the home folder; undefined when there is no home folder either.
 */
export function baseFolder(
  variable: "XDG_CONFIG_HOME" | "XDG_STATE_HOME",
  fallback: string,
  read: ReadVariable,
): string | undefined {
  const given = read(variable);
  if (given && isAbsolute(given)) return given;
  const home = read("HOME");
  return home ? join(home, fallback) : undefined;
}

/**
 * Where the state is kept: the flag, else `CAIRN_HOME`, else `state` of the configuration, else the XDG state folder.
 * Absolute. Throws `config` when none of them is there.
 */
export function stateFolder(
  flag: string | undefined,
  config: { readonly state?: string | undefined },
  read: ReadVariable = (name) => Deno.env.get(name),
): string {
  const given = flag || read("CAIRN_HOME") || config.state;
  if (given) return resolve(given);
  const base = baseFolder("XDG_STATE_HOME", ".local/state", read);
  if (base !== undefined) return join(base, "cairn");
  throw new CairnError("config", "there is no home folder: HOME is not set", {
    hint: "set CAIRN_HOME, or `state` in cairn.yaml",
  });
}
