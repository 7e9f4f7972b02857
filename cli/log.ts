/** The log file: what happened, in lines of text, without secrets, for the time after a failure. */
import { configure, dispose, getLogger, type LogRecord, type Sink } from "@logtape/logtape";
import { join } from "node:path";
import { redact } from "./redact.ts";
import { visible } from "./text.ts";

/** A log file that is open. */
export interface Log extends AsyncDisposable {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /** An error, with its stack and its causes. */
  error(error: unknown): void;
}

const MAX_BYTES = 10_000_000;
const encoder = new TextEncoder();

/**
 * Opens `<home>/logs/cairn.log` (0600 in a folder 0700) for appending; one above 10 MB is renamed to `cairn.log.1`
 * first. Lines are written at once and whole (`O_APPEND`), so that several processes can share the file.
 * Throws the system's error when the file cannot be opened.
 */
export async function openLog(home: string, isDebug = false): Promise<Log> {
  const folder = join(home, "logs");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "cairn.log");
  await rotate(path);
  const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
  await configure({
    reset: true,
    sinks: { file: fileSink(file) },
    loggers: [
      { category: ["cairn"], sinks: ["file"], lowestLevel: isDebug ? "debug" : "info" },
      { category: ["logtape", "meta"], sinks: ["file"], lowestLevel: "error" },
    ],
  });
  const logger = getLogger(["cairn"]);
  return {
    debug: (message) => logger.debug("{message}", { message }),
    info: (message) => logger.info("{message}", { message }),
    warn: (message) => logger.warn("{message}", { message }),
    error: (error) => logger.error("{message}", { message: describe(error) }),
    async [Symbol.asyncDispose]() {
      await dispose();
    },
  };
}

/** One line per record: time, level, process, text; further lines are indented, so that each record is found. */
export function formatRecord(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const text = redact(record.message.map(String).join("")).split("\n").map(visible).join("\n    ");
  return `${time} ${record.level.padEnd(7)} ${Deno.pid} ${text}\n`;
}

function fileSink(file: Deno.FsFile): Sink & Disposable {
  const sink = (record: LogRecord) => {
    try {
      file.writeSync(encoder.encode(formatRecord(record)));
    } catch {
      // A full disk must not turn a backup that works into one that fails.
    }
  };
  return Object.assign(sink, { [Symbol.dispose]: () => file.close() });
}

async function rotate(path: string): Promise<void> {
  try {
    if ((await Deno.stat(path)).size > MAX_BYTES) await Deno.rename(path, `${path}.1`);
  } catch (error) {
    // Not there yet, or another process was faster.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function describe(error: unknown): string {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let each = error; each !== undefined && !seen.has(each);) {
    seen.add(each);
    lines.push(each instanceof Error ? each.stack ?? each.message : String(each));
    each = each instanceof Error ? each.cause : undefined;
  }
  return lines.join("\ncaused by: ");
}
