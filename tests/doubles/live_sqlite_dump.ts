/** The dump of the live adapter: the text of `sqlite3 FILE .dump`, with the faults that tests ask for. */
import type { Dump, DumpFacts } from "../../adapters/adapter.ts";
import { CairnError } from "../../errors.ts";
import type { LiveFault } from "./live_sqlite.ts";
import { type Sqlite3, startSqlite3 } from "./sqlite3_program.ts";

const LAST_LINE = "COMMIT;\n";

/** Starts a dump of the tables that `tables` resolves to; none means all, with their indexes, views and triggers. */
export function dumpBySqlite3(
  path: string,
  tables: () => Promise<readonly string[]>,
  signal: AbortSignal,
  fault?: LiveFault,
): Dump {
  const { promise: finished, resolve, reject } = Promise.withResolvers<DumpFacts>();
  finished.catch(() => {});
  let child: Sqlite3 | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  let delivered = 0;
  let tail = "";

  async function start() {
    signal.throwIfAborted();
    const names = (await tables()).map((name) => `'${name.replaceAll("'", "''")}'`);
    const script = fault?.kind === "status"
      ? `sqlite3 "$@"; exit 3`
      : fault?.kind === "truncated"
      ? `sqlite3 "$@" | head -c ${fault.afterBytes}`
      : undefined;
    child = startSqlite3(["-readonly", path, `.dump ${names.join(" ")}`], signal, script);
    await child.stdin.close();
    reader = child.stdout.getReader();
    return reader;
  }

  async function next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const source = reader ?? await start();
    signal.throwIfAborted();
    if (fault?.kind === "killed" && delivered >= fault.afterBytes) await child?.end();
    if (fault?.kind === "stalled" && delivered >= fault.afterBytes) {
      await new Promise((_, give) =>
        signal.addEventListener("abort", () => give(signal.reason), { once: true })
      );
    }
    const { value, done } = await source.read();
    signal.throwIfAborted();
    if (!done) {
      delivered += value.length;
      tail = (tail + new TextDecoder().decode(value.slice(-LAST_LINE.length))).slice(-LAST_LINE.length);
      return value;
    }
    await child?.success();
    if (tail !== LAST_LINE) {
      throw new CairnError("tool_failed", `the dump ends after ${delivered} bytes without its last line`);
    }
  }

  async function fail(error: unknown): Promise<void> {
    await child?.end();
    await reader?.cancel().catch(() => {});
    reject(error);
  }

  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        const bytes = await next();
        if (bytes !== undefined) return controller.enqueue(bytes);
        controller.close();
        controller.byobRequest?.respond(0);
        resolve({ warnings: [] });
      } catch (error) {
        const reason = signal.aborted ? signal.reason : error;
        await fail(reason);
        controller.error(reason);
      }
    },
    cancel: (reason) => fail(reason ?? new CairnError("interrupted", "the dump was not read to its end")),
  });
  return { stream, finished };
}
