/**
 * Reads the SQL that `pg_restore --single-transaction --file=-` writes, on its way to `psql`:
 *
 * - its BEGIN is left out, because the transaction has begun before, and its COMMIT is held back, because the end of a
 *   stream must not commit;
 * - settings that the server does not know (`transaction_timeout` of a newer pg_dump) are left out of its head.
 *
 * Rows of tables pass untouched: where they begin is known from the table of contents, and `\.` ends them.
 */
import { Buffer } from "node:buffer";
import { CairnError } from "../../errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The filter of one restore. */
export interface SqlFilter {
  /** Takes bytes and returns those that may go on. */
  push(bytes: Bytes): Bytes[];
  /** Throws `tool_failed` unless the text ended as that of a finished `pg_restore`, all tables among it. */
  end(): void;
}

const LINE_BREAK = 0x0a;
const END_OF_ROWS = Buffer.from("\n\\.\n");
const COMMIT = Buffer.from("COMMIT;\n");
const LAST_WORDS = Buffer.from("COMMIT;\n\n--\n-- PostgreSQL database dump complete\n--\n");
/** What may follow the commit: a comment, and the end of psql's restricted mode with its key. */
const MAX_TAIL_BYTES = 400;
const HEAD_LINE = /^(?:--.*|\\restrict \S+|SELECT pg_catalog\.set_config\(.*\);|)$/;
const HEAD_SETTING = /^SET ([a-z_.]+) = .*;$/;

/** Makes a filter. `copies` are the COPY statements to come, in order; `settings` the names that the server knows. */
export function createSqlFilter(copies: readonly string[], settings: ReadonlySet<string>): SqlFilter {
  const statements = copies.map((copy) => Buffer.from(copy));
  let next = 0;
  let inRows = false;
  let inHead = true;
  /** Bytes that cannot be judged yet; while `isHeld`, they begin with what may be the last COMMIT. */
  let rest: Buffer = Buffer.alloc(0);
  let isHeld = false;
  const decoder = new TextDecoder();

  /** What a line of the head becomes. */
  function keepsHeadLine(line: string): boolean {
    if (line === "BEGIN;") return false;
    const setting = HEAD_SETTING.exec(line)?.[1];
    if (setting !== undefined) return settings.has(setting);
    if (!HEAD_LINE.test(line)) inHead = false;
    return true;
  }

  return {
    push(bytes) {
      const all = rest.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([rest, bytes]);
      const out: Bytes[] = [];
      let from = 0; // what stands before is given out or left out
      let at = 0; // what stands before is judged
      const give = (to: number) => {
        if (to > from) out.push(new Uint8Array(all.subarray(from, to)));
        from = to;
      };
      for (;;) {
        if (isHeld) {
          if (all.length - at <= MAX_TAIL_BYTES) break;
          isHeld = false; // more follows than the tail has: it was a line of a function's body
          at += COMMIT.length;
        }
        if (inRows) {
          const end = all.indexOf(END_OF_ROWS, at);
          if (end < 0) {
            at = Math.max(at, all.length - END_OF_ROWS.length + 1);
            break;
          }
          at = end + END_OF_ROWS.length;
          inRows = false;
        }
        const statement = statements[next];
        if (statement !== undefined && startsAt(all, at, statement)) {
          if (all.length - at < statement.length) break;
          next++;
          inHead = false;
          // The line break before the first row belongs to the search for the end: a table may be empty.
          at += statement.length - 1;
          inRows = true;
          continue;
        }
        const end = all.indexOf(LINE_BREAK, at);
        if (end < 0) break;
        if (startsAt(all, at, COMMIT)) {
          isHeld = true;
          continue;
        }
        if (inHead && !keepsHeadLine(decoder.decode(all.subarray(at, end)))) {
          give(at);
          from = end + 1;
        }
        at = end + 1;
      }
      give(at);
      rest = Buffer.from(all.subarray(from));
      return out;
    },
    end() {
      if (
        isHeld && next === statements.length && startsAt(rest, 0, LAST_WORDS) &&
        rest.length >= LAST_WORDS.length
      ) {
        return;
      }
      throw new CairnError("tool_failed", "pg_restore ended without the last words of a finished restore", {
        hint: "nothing was committed; please report this with the log",
        passing: false,
      });
    },
  };
}

/** True when `wanted` stands at `at`, as far as the bytes reach. */
function startsAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  const end = Math.min(bytes.length, at + wanted.length);
  return end > at && bytes.compare(wanted, 0, end - at, at, end) === 0;
}
