import assert from "node:assert/strict";
import { CairnError } from "../../errors.ts";
import { isMissing, systemCode, systemError } from "../../storage/system_error.ts";

const failure = (code: string) => Object.assign(new Error(`${code}: whatever the system says`), { code });

Deno.test("each foreseen error number gets its code, the reason and a hint where one helps", () => {
  const expected = {
    ENOSPC: ["no_space", /^cannot write x: no space left/, /free some space/],
    EDQUOT: ["no_space", /quota/, /free some space/],
    EACCES: ["permission", /permission denied/, /owner/],
    EROFS: ["permission", /read-only/, /mount it for writing/],
    ESTALE: ["unreachable", /network file system/, /mounted/],
    ENOENT: ["not_found", /does not exist/, undefined],
  } as const;
  for (const [number, [code, message, hint]] of Object.entries(expected)) {
    const error = systemError(failure(number), "cannot write x");
    assert.ok(error instanceof CairnError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? "", hint);
    else assert.equal(error.hint, undefined);
    assert.ok(error.cause instanceof Error);
  }
});

Deno.test("an unforeseen error number is io with the system's words, a defect stays what it is", () => {
  const error = systemError(failure("EXOTIC"), "cannot write x");
  assert.ok(error instanceof CairnError && error.code === "io");
  assert.match(error.message, /cannot write x: EXOTIC: whatever/);
  const defect = new TypeError("undefined is not a function");
  assert.equal(systemError(defect, "cannot write x"), defect);
  const known = new CairnError("busy", "somebody is here");
  assert.equal(systemError(known, "cannot write x"), known);
});

Deno.test("errors of Deno and of Node are read alike", async () => {
  const { open } = await import("node:fs/promises");
  for (const call of [() => Deno.open("/nonexistent"), () => open("/nonexistent")]) {
    await assert.rejects(call, (thrown) => systemCode(thrown) === "ENOENT" && isMissing(thrown));
  }
});
