/**
 * Named points at which a test can kill the process: before and after every journal write, and wherever else a
 * crash would be interesting. Inert unless the environment arms them:
 *
 * - `CAIRN_CRASH_AT=17` kills at the 17th point passed; `CAIRN_CRASH_AT="after run-done"` at the point of that name.
 * - `CAIRN_CRASH_TRACE=/some/file` appends the name of each point passed, one a line.
 */

const at = armed("CAIRN_CRASH_AT");
const trace = armed("CAIRN_CRASH_TRACE");
let passed = 0;

/** Passes the point `name`: does nothing, or ends the process by SIGKILL and never returns. */
export function crashPoint(name: string): void {
  if (at === undefined && trace === undefined) return;
  passed++;
  if (trace !== undefined) Deno.writeTextFileSync(trace, `${name}\n`, { append: true, mode: 0o600 });
  if (at !== name && at !== String(passed)) return;
  Deno.kill(Deno.pid, "SIGKILL");
  // The signal may arrive a moment later: nothing may happen in that moment.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Asks first, so that a missing permission means inert and never a prompt. */
function armed(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) || undefined : undefined;
}
