import assert from "node:assert/strict";
import { CairnError } from "../../errors.ts";
import { resolveSecret } from "../../steps/secret.ts";

Deno.test("a secret comes from the environment, a file, a command or a person, without its newline", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, 'p@s"s/1 ü\n');
    assert.equal(await resolveSecret({ file }, undefined), 'p@s"s/1 ü');
    Deno.env.set("CAIRN_TEST_SECRET", "from env");
    assert.equal(await resolveSecret({ env: "CAIRN_TEST_SECRET" }, undefined), "from env");
    assert.equal(
      await resolveSecret({ command: ["printf", "%s\\n", "from command"] }, undefined),
      "from command",
    );
    assert.equal(await resolveSecret({ ask: "?" }, () => Promise.resolve("typed")), "typed");
  } finally {
    Deno.env.delete("CAIRN_TEST_SECRET");
    await Deno.remove(file);
  }
});

Deno.test("a secret that cannot be had is an error that says where it should have been, not what it is", async () => {
  const fails = (reference: Parameters<typeof resolveSecret>[0], code: string) =>
    assert.rejects(
      resolveSecret(reference, undefined),
      (error) => error instanceof CairnError && error.code === code && !error.passing,
    );
  await fails({ env: "CAIRN_NO_SUCH_VARIABLE" }, "config");
  await fails({ file: "/nonexistent/secret" }, "config");
  await fails({ command: ["false"] }, "config");
  await fails({ command: ["/nonexistent/program"] }, "config");
  await fails({ command: ["true"] }, "config");
  await fails({ ask: "passphrase: " }, "key");
});
