/**
 * A throw-away PostgreSQL server for tests: in a temporary folder, reached by a socket in it, run by an unprivileged user.
 * It dies with the test process.
 */
/** The programs of a server release. */
export const POSTGRES_15 = "/usr/lib/postgresql/15/bin";

/** A running server. */
export interface PostgresServer extends AsyncDisposable {
  /** The folder of its socket, for the parameter `host` of URLs. */
  readonly socket: string;
  /** The folder of its programs. */
  readonly programs: string;
  /** The URL of a database, as the superuser or another user. */
  url(database: string, user?: string): string;
  /** Runs SQL as the superuser, and returns what it printed. */
  sql(database: string, sql: string): Promise<string>;
  /** Runs one of its programs as the superuser. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  /** Kills it as a power failure would. */
  kill(): Promise<void>;
}

/** True when the server's programs are there. Says so loudly when not; in CI that is an error. */
export function hasPostgres(programs = POSTGRES_15): boolean {
  try {
    Deno.statSync(`${programs}/postgres`);
    return true;
  } catch {
    const message =
      `PostgreSQL is not in ${programs}: its tests are SKIPPED (tests/provision.sh installs it)`;
    if (Deno.env.get("CI") === "true") throw new Error(message);
    Deno.test.ignore(message, () => {});
    return false;
  }
}

/**
 * The folders of the programs of all releases there are, the oldest first: PostgreSQL 15 and those that `CAIRN_POSTGRES` names,
 * separated by colons. Says so loudly when there is only one.
 */
export function postgresReleases(): readonly string[] {
  const others = (Deno.env.get("CAIRN_POSTGRES") ?? "").split(":").filter((folder) => folder !== "");
  const found = [POSTGRES_15, ...others].filter((folder) => hasPostgres(folder));
  if (found.length < 2) {
    const message =
      "CAIRN_POSTGRES names no further release of PostgreSQL: the tests between releases are SKIPPED";
    Deno.test.ignore(message, () => {});
  }
  return found;
}

/** Starts a server. */
export async function startPostgres(programs = POSTGRES_15): Promise<PostgresServer> {
  const folder = await Deno.makeTempDir({ prefix: "cairn-postgres-" });
  try {
    return await startIn(folder, programs);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

async function startIn(folder: string, programs: string): Promise<PostgresServer> {
  await Deno.chmod(folder, 0o711);
  const data = `${folder}/data`;
  const isRoot = Deno.uid() === 0;
  if (isRoot) await chownToNobody(folder);
  const unprivileged = isRoot
    ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--reset-env"]
    : [];
  const init = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"];
  await call([...unprivileged, `${programs}/initdb`, ...init], {});
  await Deno.writeTextFile(
    `${data}/pg_hba.conf`,
    "local all needs_password scram-sha-256\nlocal all all trust\n",
  );
  const settings = [
    "listen_addresses=",
    `unix_socket_directories=${folder}`,
    "fsync=off",
    "max_connections=30",
  ];
  const command = [
    ...unprivileged,
    "setpriv",
    "--pdeathsig=QUIT",
    `${programs}/postgres`,
    "-D",
    data,
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  const [program = "", ...args] = command;
  const server = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const environment = { PGHOST: folder, PGUSER: "postgres" };
  const run = (name: string, rest: readonly string[], input?: string) =>
    call([`${programs}/${name}`, ...rest], environment, input);
  let hasEnded = false;
  const end = async (signal: "SIGQUIT" | "SIGKILL") => {
    if (hasEnded) return;
    hasEnded = true;
    server.kill(signal);
    await server.status;
  };
  await waitUntilReady(() => call([`${programs}/pg_isready`, "-q"], environment));
  return {
    socket: folder,
    programs,
    url: (database, user = "postgres") =>
      `postgres://${user}@/${encodeURIComponent(database)}?host=${folder}`,
    sql: async (database, sql) => {
      const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"];
      return (await run("psql", args, sql)).trimEnd();
    },
    run,
    kill: () => end("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await end("SIGQUIT");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Runs a program; throws with its complaint when it fails. */
async function call(
  [program = "", ...args]: readonly string[],
  env: Record<string, string>,
  input?: string,
): Promise<string> {
  const child = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const fed = (async () => {
    if (input !== undefined) await writer.write(new TextEncoder().encode(input));
    await writer.close();
  })().catch(() => {});
  const [{ success, code, stdout, stderr }] = await Promise.all([collect(child), fed]);
  if (success) return stdout;
  throw new Error(`${program} ended with ${code}: ${stderr}`);
}

async function collect(child: Deno.ChildProcess) {
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { ...status, stdout, stderr };
}

async function waitUntilReady(probe: () => Promise<unknown>): Promise<void> {
  for (let turn = 0;; turn++) {
    try {
      await probe();
      return;
    } catch (error) {
      if (turn === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function chownToNobody(folder: string): Promise<void> {
  await Deno.chown(folder, 65534, 65534);
}
