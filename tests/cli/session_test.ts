import assert from "node:assert/strict";
import { join } from "node:path";
import { openSession } from "../../cli/session.ts";

Deno.test("the first signal asks to stop, the second ends the process at once", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("fixtures/wait.ts", import.meta.url).pathname],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, "ready\n");
  child.kill("SIGINT");
  assert.equal((await lines.next()).value, "aborted: interrupted\n");
  child.kill("SIGTERM");
  const [{ code, signal }, told] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.deepEqual([code, signal], [130, null]);
  assert.match(told, /stopping at the next safe point; once more to stop at once/);
  await lines.return?.();
});

Deno.test("the state folder is the flag's, then the configuration's; nothing is made", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.env.get("CAIRN_HOME");
  Deno.env.delete("CAIRN_HOME");
  try {
    const config = join(folder, "cairn.yaml");
    await Deno.writeTextFile(config, "state: ./here\n", { mode: 0o600 });
    const flagged = openSession({ color: false, config, home: join(folder, "flag") }, "0.0.0");
    await flagged.config();
    assert.equal(flagged.home, join(folder, "flag"));
    const configured = openSession({ color: false, config }, "0.0.0");
    await configured.config();
    assert.equal(configured.home, join(folder, "here"));
    await configured.close();
    assert.equal((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  } finally {
    if (before !== undefined) Deno.env.set("CAIRN_HOME", before);
    await Deno.remove(folder, { recursive: true });
  }
});
