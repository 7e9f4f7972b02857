import assert from "node:assert/strict";
import { join } from "node:path";
import { openLog } from "../../cli/log.ts";
import { CairnError } from "../../errors.ts";

/** Runs a test with a state folder of its own. */
async function withHome(work: (home: string, file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const home = join(folder, "home");
  try {
    await work(home, join(home, "logs", "cairn.log"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the log is private, appended to, and free of secrets", () =>
  withHome(async (home, file) => {
    for (const run of ["one", "two"]) {
      await using log = await openLog(home);
      log.info(`run ${run} of postgres://u:hunter2@h/db with {braces}`);
      log.debug("not asked for");
    }
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assert.equal(lines.length, 2);
    assert.match(
      lines[0] ?? "",
      /^\d{4}-\d\d-\d\dT[\d:.]+Z info {4}\d+ run one of postgres:\/\/u:\*\*\*@h\/db with \{braces\}$/,
    );
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    assert.equal(((await Deno.stat(join(home, "logs"))).mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("an error is logged with its stack and causes, indented below its line", () =>
  withHome(async (home, file) => {
    {
      await using log = await openLog(home, true);
      log.debug("asked for");
      log.error(new CairnError("io", "no disk", { cause: new Error("EIO of AGE-SECRET-KEY-1ABC") }));
    }
    const text = await Deno.readTextFile(file);
    const lines = text.trimEnd().split("\n");
    assert.match(lines[0] ?? "", / debug .* asked for$/);
    assert.match(lines[1] ?? "", / error .* CairnError: no disk$/);
    for (const line of lines.slice(2)) assert.match(line, /^ {4}/);
    assert.match(text, /caused by: Error: EIO of \*\*\*/);
  }));

Deno.test("a log above 10 MB begins anew and the old one is kept", () =>
  withHome(async (home, file) => {
    await Deno.mkdir(join(home, "logs"), { recursive: true });
    await Deno.writeFile(file, new Uint8Array(10_000_001));
    {
      await using log = await openLog(home);
      log.warn("fresh");
    }
    assert.equal((await Deno.stat(`${file}.1`)).size, 10_000_001);
    assert.match(await Deno.readTextFile(file), /^\S+ warning \d+ fresh\n$/);
  }));
