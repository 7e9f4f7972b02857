/**
 * The program as a process, in a folder and with a state folder of its own: what it wrote, how it ended, and what it must not
 * leave behind. `CAIRN_BINARY` names a compiled program to test in place of `main.ts`.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { makeSample } from "../../adapters/sqlite/sample.ts";

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is special about one process. */
export interface CairnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Without the rights by which root reads and writes everything. */
  readonly unprivileged?: boolean;
  /** Nobody reads its standard output, which is closed at once. */
  readonly deaf?: boolean;
}

/** A process that goes on. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Waits until standard output has a line that matches, and gives the match. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal to the process alone. */
  kill(signal: Deno.Signal): void;
  /** Sends SIGINT to the process and its children, as a terminal does. */
  pressCtrlC(): Promise<void>;
}

/** Where a test happens. */
export interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  /** A path in the folder. */
  path(...names: string[]): string;
  /** Makes the sample database: about 190 bytes a row. */
  database(name: string, rows?: number): string;
  /** Runs the program to its end. */
  cairn(args: readonly string[], options?: CairnOptions): Promise<Ended>;
  /** Starts the program. */
  start(args: readonly string[], options?: CairnOptions): Running;
}

/** For a lock that nobody is going to release. */
export const IMPATIENT: CairnOptions = { env: { CAIRN_PATIENCE_MILLISECONDS: "200" } };

/** A line of `--json`, as far as tests look into it. */
// deno-lint-ignore no-explicit-any -- what is in it is what the tests assert
export type Line = any;

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** Small enough that a small database has several parts. */
const PART_BYTES = 20_000;
/** Long enough for tests that run several processes on a busy machine; those that wait for it in vain ask for less. */
const PATIENCE_MILLISECONDS = 10_000;
const LIMIT_MILLISECONDS = 60_000;

/** The program and its first arguments. */
function program(): [string, ...string[]] {
  const binary = Deno.env.get("CAIRN_BINARY");
  if (binary) return [binary];
  const flags = ["--quiet", "--no-check", "--v8-flags=--expose-gc", "--config", CONFIG];
  return [Deno.execPath(), "run", "-A", ...flags, MAIN];
}

/** Makes a place; disposing of it removes everything. */
export async function openPlace(): Promise<Place> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "cairn-cli-" }));
  const home = join(folder, "home");
  const path = (...names: string[]) => join(folder, ...names);
  const start = (args: readonly string[], options: CairnOptions = {}) =>
    startIn(folder, { CAIRN_HOME: home, XDG_CONFIG_HOME: join(folder, "xdg") }, args, options);
  return {
    folder,
    home,
    path,
    start,
    database(name, rows = 400) {
      makeSample(path(name), rows);
      return path(name);
    },
    cairn: (args, options) => start(args, options).ended,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

function startIn(
  cwd: string,
  folders: Readonly<Record<string, string>>,
  args: readonly string[],
  { env = {}, unprivileged = false, deaf = false }: CairnOptions,
): Running {
  const drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"];
  const [first = "", ...rest] = [
    // A group of its own, as a shell makes one: Ctrl-C reaches all of it.
    "setsid",
    ...(unprivileged && Deno.uid() === 0 ? drop : []),
    ...program(),
    ...args,
  ];
  const child = new Deno.Command(first, {
    args: rest,
    cwd,
    env: {
      CAIRN_CONFIG: "",
      CAIRN_PART_BYTES: String(PART_BYTES),
      CAIRN_PATIENCE_MILLISECONDS: String(PATIENCE_MILLISECONDS),
      ...folders,
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stdout = "";
  let wake = Promise.withResolvers<void>();
  const read = async () => {
    if (deaf) return await child.stdout.cancel();
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += text;
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MILLISECONDS);
  let isOver = false;
  const ended = Promise.all([child.status, read(), new Response(child.stderr).text()]).then(
    ([{ code, signal }, _, stderr]) => {
      clearTimeout(timer);
      isOver = true;
      wake.resolve();
      return { code, signal, stdout, stderr };
    },
  );
  return {
    pid: child.pid,
    ended,
    kill: (signal) => child.kill(signal),
    async pressCtrlC() {
      const args = ["-s", "INT", "--", `-${child.pid}`];
      assert.ok((await new Deno.Command("kill", { args }).output()).success);
    },
    async printed(pattern) {
      for (;;) {
        const match = stdout.match(pattern);
        if (match) return match;
        if (isOver) assert.fail(`it ended without ${pattern}: ${stdout}${(await ended).stderr}`);
        await Promise.race([wake.promise, ended]);
      }
    },
  };
}

/** The lines of JSON on standard output; there may be nothing else. */
export function linesOf(ended: Ended): Line[] {
  assert.ok(ended.stdout === "" || ended.stdout.endsWith("\n"), ended.stdout);
  return ended.stdout.split("\n").slice(0, -1).map((line) => {
    const value: Line = JSON.parse(line);
    assert.equal(value.version, 1, line);
    return value;
  });
}

/** The last line of a command that must have ended well. */
export function well(ended: Ended): Line {
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  return linesOf(ended).at(-1);
}

/** What a failure has to be. */
export interface Failure {
  readonly exit: number;
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
  /** False by default: nothing is left that could go on. */
  readonly resumable?: boolean;
}

/**
 * Checks how a command with `--json` failed: exit code, the last line, the same words for people, no stack, and as last line
 * for people the command that goes on, where there is one. Returns the last line.
 */
export function failed(ended: Ended, { exit, code, message, hint, resumable = false }: Failure): Line {
  const whole = `${ended.stdout}${ended.stderr}`;
  assert.equal(ended.code, exit, whole);
  const last = linesOf(ended).at(-1);
  assert.equal(last?.status, "failed", whole);
  assert.equal(last.error.code, code, whole);
  assert.match(last.error.message, message);
  assert.match(last.error.hint ?? "", hint);
  assert.doesNotMatch(last.error.message, /\.$/, "a message ends without a full stop");
  assert.equal(last.resumable, resumable, whole);
  const [first = ""] = last.error.message.split("\n");
  assert.ok(ended.stderr.includes(first), whole);
  assert.ok(ended.stderr.includes(last.error.hint.split("\n")[0]), whole);
  assert.doesNotMatch(ended.stderr, /\n {4}at /);
  const lastLine = ended.stderr.trimEnd().split("\n").at(-1);
  assert.equal(lastLine === `cairn resume ${last.run}`, resumable, whole);
  return last;
}

/** Every file below a folder, by its relative path, with the checksum of its content. */
export async function contentOf(folder: string, within = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await entriesOf(join(folder, within))) {
    const path = within === "" ? entry.name : `${within}/${entry.name}`;
    if (entry.isDirectory) Object.assign(found, await contentOf(folder, path));
    else if (entry.isSymlink) found[path] = `-> ${await Deno.readLink(join(folder, path))}`;
    else found[path] = createHash("sha256").update(await Deno.readFile(join(folder, path))).digest("hex");
  }
  return found;
}

/** What is in a place but the state folder. */
export async function worldOf(place: Place): Promise<Record<string, string>> {
  const found = Object.entries(await contentOf(place.folder));
  return Object.fromEntries(found.filter(([path]) => !path.startsWith("home/")));
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Names that only belong to something unfinished. */
const UNFINISHED =
  /^\.partial$|\.open$|\.~|\.cairn-|^put-|\.all$|-(wal|shm|journal)$|^(run-.*|[0-9a-f]{64})\.lock$/;

/** Asserts that no run left anything: neither scratch nor locks in the state folder, nor something unfinished anywhere. */
export async function nothingLeft(place: Place): Promise<void> {
  const left: string[] = [];
  const look = async (folder: string) => {
    for (const { name, isDirectory } of await entriesOf(folder)) {
      const path = join(folder, name);
      if (UNFINISHED.test(name) || folder.endsWith("/home/spool")) left.push(path);
      else if (isDirectory) await look(path);
    }
  };
  await look(place.folder);
  assert.deepEqual(left, [], "something is left behind");
}

/** Backs `app.db` up into `backups`, and gives its artifact. */
export async function backUp(place: Place, ...more: string[]): Promise<Line> {
  return well(await place.cairn(["backup", "app.db", ...more, "--json"])).artifact;
}

/** Does some things at once; fails with the first failure when all have ended, so that nothing outlives the test. */
export async function together<T>(
  each: readonly T[],
  work: (one: T, index: number) => Promise<unknown>,
): Promise<void> {
  const ends = await Promise.allSettled(each.map(work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Waits until something holds, looking every few milliseconds. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = performance.now() + LIMIT_MILLISECONDS; !await holds();) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** True when a file or folder is there. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/**
 * Does something while this process holds a database for itself. It may not read the file meanwhile: to close a file drops all
 * locks that a process has on it.
 */
export async function whileLocked<T>(database: string, work: () => Promise<T>): Promise<T> {
  const holder = new DatabaseSync(database);
  try {
    holder.exec("BEGIN EXCLUSIVE");
    return await work();
  } finally {
    holder.close();
  }
}
