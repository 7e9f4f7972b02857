/** What `cairn init` does: asks, makes the key, writes the configuration, says what comes next. */
import { basename, join, resolve } from "node:path";
import { baseFolder } from "../config/paths.ts";
import { sampleConfig } from "../config/sample.ts";
import { CairnError } from "../errors.ts";
import { deriveLabel } from "../steps/artifact.ts";
import { createKeyFile, defaultKeyFile, proveKey, recipientsOfFile, rememberProof } from "../steps/key.ts";
import { createTextFile, requireFree } from "../steps/new_file.ts";
import { askLine, askSecret, askYesNo } from "./ask.ts";
import type { Session } from "./session.ts";
import { canAsk } from "./terminal.ts";
import { visible } from "./text.ts";

/** The options of the command. */
export interface InitOptions {
  readonly yes?: true;
  readonly database?: readonly string[];
  readonly store?: string;
  readonly encrypt: boolean;
  readonly output?: string;
}

/** What was answered, or taken by default. */
interface Answers {
  readonly databases: readonly { readonly name: string; readonly path: string }[];
  readonly store: string;
  readonly isEncrypted: boolean;
}

const DEFAULT_STORE = "./backups";
const HINT = "edit that one, or write another with --output";
const SQLITE_HEADER = "SQLite format 3\0";

/** Makes the configuration and the key. Nothing is overwritten; a key that exists is used. */
export async function init(session: Session, options: InitOptions): Promise<void> {
  const { output } = session;
  const wanted = options.output ?? session.options.config ??
    (Deno.env.get("CAIRN_CONFIG") || userConfigFile());
  await requireFree(wanted, "a configuration", HINT);
  const answers = options.yes ? await defaults(options) : await ask(options);

  const key = answers.isEncrypted ? await prepareKey(session) : undefined;
  const text = sampleConfig({
    store: answers.store,
    databases: answers.databases,
    ...(key === undefined ? {} : { recipient: key.recipient }),
  });
  const file = await createTextFile(wanted, text, "a configuration", HINT);

  output.line(`config  ${visible(file)}`);
  output.line(`store   ${visible(answers.store)}`);
  if (key === undefined) output.line("key     none: backups are not encrypted");
  else {
    output.line(`key     ${visible(key.file)}${key.isNew ? "" : " (was there)"}`);
    output.line();
    output.line("keep a copy of the key elsewhere: what is encrypted for it opens with nothing else");
    output.line("to prove a copy: cairn key check --identity COPY");
  }
  output.line();
  const [first] = answers.databases;
  const suffix = options.output === undefined ? "" : ` --config ${visible(file)}`;
  if (first === undefined) {
    output.line(`next: add a database to the configuration, then cairn backup NAME${suffix}`);
  } else output.line(`next: cairn backup ${first.name}${suffix}`);
  output.json({
    status: "done",
    file,
    store: answers.store,
    databases: answers.databases.map(({ name, path }) => ({ name, path })),
    key: key === undefined ? null : { file: key.file, recipient: key.recipient, isNew: key.isNew },
  });
}

/** Where the configuration is found later without being named. */
function userConfigFile(): string {
  const folder = baseFolder("XDG_CONFIG_HOME", ".config", (name) => Deno.env.get(name));
  if (folder !== undefined) return join(folder, "cairn", "cairn.yaml");
  throw new CairnError("config", "there is no home folder: HOME is not set", {
    hint: "say where to write the configuration with --output",
  });
}

async function defaults(options: InitOptions): Promise<Answers> {
  return {
    databases: await nameDatabases(options.database ?? []),
    store: resolve(options.store ?? DEFAULT_STORE),
    isEncrypted: options.encrypt,
  };
}

async function ask(options: InitOptions): Promise<Answers> {
  if (!canAsk()) {
    throw new CairnError("usage", "init asks questions, and there is no terminal", {
      hint: "say --yes to take the defaults: cairn init --yes --database app.db",
    });
  }
  let paths = options.database;
  if (paths === undefined) {
    const found = await findSqliteFiles(".");
    const answer = required(await askLine("SQLite files to back up, separated by commas:", found.join(", ")));
    paths = answer.split(",").map((path) => path.trim()).filter((path) => path !== "");
  }
  const databases = await nameDatabases(paths);
  const store = options.store ?? required(await askLine("folder for the backups:", resolve(DEFAULT_STORE)));
  const isEncrypted = options.encrypt &&
    required(await askYesNo("encrypt them, with a key made on this host?", true));
  return { databases, store: resolve(store), isEncrypted };
}

function required<T>(answer: T | undefined): T {
  if (answer !== undefined) return answer;
  throw new CairnError("interrupted", "stopped: nothing was written");
}

/** The key of this host, made when it is not there, and proven. */
async function prepareKey(session: Session) {
  const file = defaultKeyFile(session.home);
  const isThere = await Deno.lstat(file).then(() => true, () => false);
  const recipients = isThere
    ? await recipientsOfFile(file, askSecret)
    : [(await createKeyFile(file, new Date())).recipient];
  const [recipient] = recipients;
  if (recipient === undefined) throw new CairnError("key", `${file} holds no identity`);
  if (!isThere) await rememberProof(session.home, await proveKey(file, []), new Date());
  return { file, recipient, isNew: !isThere };
}

/** Absolute paths with a name for each; throws `not_found` for a file that is not there. */
async function nameDatabases(paths: readonly string[]): Promise<Answers["databases"]> {
  const named = new Map<string, string>();
  for (const path of paths) {
    const whole = resolve(path);
    if (!await Deno.stat(whole).then((stat) => stat.isFile, () => false)) {
      throw new CairnError("not_found", `there is no file ${path}`, {
        hint: "give the path of an SQLite file; others can be added to the configuration later",
      });
    }
    const label = deriveLabel(basename(whole));
    let name = label;
    for (let count = 2; named.has(name); count++) name = `${label}-${count}`;
    named.set(name, whole);
  }
  return [...named].map(([name, path]) => ({ name, path }));
}

/** The SQLite files directly in a folder, known by their first bytes (https://sqlite.org/fileformat.html 1.3). */
async function findSqliteFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && await hasHeader(join(folder, entry.name))) found.push(entry.name);
  }
  return found.sort();
}

async function hasHeader(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const start = new Uint8Array(SQLITE_HEADER.length);
    await file.read(start);
    return new TextDecoder().decode(start) === SQLITE_HEADER;
  } catch {
    // A file that may not be read is not suggested.
    return false;
  }
}
