/**
 * The SQLite child: reads one request from standard input, answers on standard output, ends.
 *
 * A compiled Cairn calls {@linkcode serveChild} when its first argument is `CHILD_ARGUMENT`.
 */
import { CairnError, toCairnError } from "../../errors.ts";
import { copyDatabase } from "./child_copy.ts";
import { readFacts, readTarget } from "./child_facts.ts";
import { replaceContent } from "./child_replace.ts";
import { settleFile } from "./child_settle.ts";
import { transplantTables } from "./child_transplant.ts";
import type { Job } from "./job.ts";
import type { CallName, Reply, Request } from "./messages.ts";
import { fromSqlite } from "./sqlite_errors.ts";

/** Serves one request. */
export async function serveChild(): Promise<void> {
  const request: Request = JSON.parse(await new Response(Deno.stdin.readable).text());
  const job = jobOf(request.parent);
  try {
    send({ kind: "result", value: await answer(request, job) });
  } catch (error) {
    sendFailure(error instanceof CairnError ? error : fromSqlite(error) ?? toCairnError(error));
  }
}

function answer(request: Request, job: Job) {
  switch (request.call) {
    case "facts":
      return readFacts(request.input);
    case "copy":
      return copyDatabase(request.input, job);
    case "settle":
      return settleFile(request.input);
    case "inspect":
      return readTarget(request.input);
    case "replace":
      return replaceContent(request.input, job);
    case "transplant":
      return transplantTables(request.input, job);
  }
}

function jobOf(parent: number): Job {
  const checkParent = () => {
    if (Deno.ppid !== parent) Deno.exit(1);
  };
  let last = { at: 0, done: -1 };
  let limited = false;
  return {
    checkParent,
    progress(done, total) {
      checkParent();
      const at = performance.now();
      // What goes not on is not progress, and must not look like it.
      if (done === last.done || (at - last.at < 50 && done !== total)) return;
      last = { at, done };
      send({ kind: "progress", done, total });
    },
    limitWaits(waits) {
      if (limited === (waits !== null)) return;
      limited = waits !== null;
      send({
        kind: "limit",
        waits: waits && { path: waits.path, lockLimitMilliseconds: waits.lockLimitMilliseconds },
      });
    },
  };
}

function sendFailure(error: CairnError): void {
  const { code, message, hint } = error;
  send({ kind: "failed", error: { code, message, hint: hint ?? null } });
}

function send(reply: Reply<CallName>): void {
  const bytes = new TextEncoder().encode(JSON.stringify(reply) + "\n");
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

if (import.meta.main) await serveChild();
