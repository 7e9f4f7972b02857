/** The command lines that are compared: Cairn's, and what a person would type instead. All do the same work. */
import { type CommandLine, shell } from "./measure.ts";
import type { Place } from "./place.ts";

/** A way to back a database up and to get it back. */
export interface Way {
  readonly name: string;
  /** Makes `folder` ready; not measured. */
  prepare(folder: string): Promise<void>;
  backup(source: string, folder: string): CommandLine;
  /** Makes `restored.db` in the folder out of what `backup` left there. */
  restore(folder: string): CommandLine;
}

const CHECK = `"pragma quick_check" | grep -qx ok`;
const UNTOUCHED = () => Promise.resolve();

/** The compiled program, encrypting to a recipient. */
export function cairnWay({ cairn, recipient, identity }: Place): Way {
  const env = (folder: string) => ({ CAIRN_HOME: `${folder}/home`, CAIRN_CONFIG: "" });
  return {
    name: "cairn",
    prepare: UNTOUCHED,
    backup: (source, folder) => ({
      words: [
        cairn,
        "backup",
        source,
        "--to",
        `${folder}/store`,
        "--label",
        "app",
        "--encrypt-to",
        recipient,
        "--quiet",
      ],
      env: env(folder),
    }),
    restore: (folder) => ({
      words: [
        cairn,
        "restore",
        "latest:app",
        "--from",
        `${folder}/store`,
        "--into",
        `${folder}/restored.db`,
        "--identity",
        identity,
        "--quiet",
      ],
      env: env(folder),
    }),
  };
}

/** The classic pipe of stock tools. */
export function pipeWay({ recipient, identity }: Place): Way {
  return {
    name: "sqlite3, zstd, age",
    prepare: UNTOUCHED,
    backup: (source, folder) =>
      shell(`cd ${folder}; sqlite3 ${source} ".backup copy.db"; sqlite3 copy.db ${CHECK}
        zstd -3 -q < copy.db | age -r ${recipient} > out; sync out; rm copy.db`),
    restore: (folder) =>
      shell(`cd ${folder}; age -d -i ${identity} out | zstd -d -q > restored.db; sync restored.db
        sqlite3 restored.db ${CHECK}`),
  };
}

/** restic, on the same consistent and checked copy, into a repository on the same disk. */
export function resticWay(): Way {
  const env = (folder: string) => ({
    RESTIC_PASSWORD: "bench",
    RESTIC_REPOSITORY: `${folder}/repository`,
    RESTIC_CACHE_DIR: `${folder}/cache`,
  });
  return {
    name: "sqlite3, restic",
    async prepare(folder) {
      await new Deno.Command("restic", { args: ["init", "-q"], env: env(folder) }).output();
    },
    backup: (source, folder) =>
      shell(
        `cd ${folder}; sqlite3 ${source} ".backup copy.db"; sqlite3 copy.db ${CHECK}
        restic backup -q copy.db; rm copy.db`,
        env(folder),
      ),
    restore: (folder) =>
      shell(
        `cd ${folder}; restic restore latest -q --target restored; mv restored/copy.db restored.db
        sync restored.db; sqlite3 restored.db ${CHECK}`,
        env(folder),
      ),
  };
}
