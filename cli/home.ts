/** Where Cairn keeps its state and its configuration when nobody says. */
import { isAbsolute, join, resolve } from "node:path";
import { CairnError } from "../errors.ts";

/**
 * The state folder: `--home`, else `CAIRN_HOME`, else `cairn` in the XDG state folder
 * (https://specifications.freedesktop.org/basedir-spec). Throws `config` when there is no home folder either.
 */
export function homeFolder(flag: string | undefined): string {
  const given = flag ?? Deno.env.get("CAIRN_HOME");
  return given ? resolve(given) : join(baseFolder("XDG_STATE_HOME", ".local/state"), "cairn");
}

/** The configuration file of the user, where `cairn init` writes it. */
export function userConfigFile(): string {
  return join(baseFolder("XDG_CONFIG_HOME", ".config"), "cairn", "cairn.yaml");
}

/** The specification says that relative paths are to be ignored. */
function baseFolder(variable: string, fallback: string): string {
  const given = Deno.env.get(variable);
  if (given && isAbsolute(given)) return given;
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
  if (home) return join(home, fallback);
  throw new CairnError("config", "there is no home folder: HOME is not set", {
    hint: "set CAIRN_HOME, or give --home and --config",
  });
}
