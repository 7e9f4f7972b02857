import assert from "node:assert/strict";
import { join } from "node:path";
import { CairnError } from "../../errors.ts";
import { loadConfig } from "../../config/config.ts";

/** A folder with a working folder, a home and a system file to be, and the environment of a caller in it. */
async function place(variables: Record<string, string> = {}) {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const at = (...parts: string[]) => join(root, ...parts);
  for (const folder of ["work", "home/.config/cairn", "xdg/cairn", "etc"]) {
    await Deno.mkdir(at(folder), { recursive: true });
  }
  const environment: Record<string, string> = { HOME: at("home"), ...variables };
  return {
    at,
    write: async (path: string, store: string, mode = 0o600) => {
      await Deno.writeTextFile(at(path), `stores: {it: /${store}}\n`);
      await Deno.chmod(at(path), mode);
    },
    environment,
    load: (flag?: string) =>
      loadConfig({
        flag,
        folder: at("work"),
        read: (name) => environment[name],
        systemFile: at("etc/cairn.yaml"),
      }),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

async function rejects(call: () => Promise<unknown>, code: string, message: RegExp, hint?: RegExp) {
  await assert.rejects(call, (thrown) => {
    assert.ok(thrown instanceof CairnError, `not a CairnError: ${thrown}`);
    assert.equal(thrown.code, code);
    assert.match(thrown.message, message);
    if (hint) assert.match(thrown.hint ?? "", hint);
    return true;
  });
}

Deno.test("without any file the configuration is empty", async () => {
  await using here = await place();
  assert.deepEqual(await here.load(), { stores: new Map(), databases: new Map(), encryptTo: [] });
  delete here.environment.HOME;
  assert.equal((await here.load()).file, undefined);
});

Deno.test("the first file that is there counts: flag, variable, working folder, user, system", async () => {
  await using here = await place();
  const { at, write, load, environment } = here;
  const files = [
    "etc/cairn.yaml",
    "home/.config/cairn/cairn.yaml",
    "xdg/cairn/cairn.yaml",
    "work/cairn.yaml",
  ];
  for (const file of files) {
    if (file.startsWith("xdg")) environment.XDG_CONFIG_HOME = at("xdg");
    await write(file, file.replaceAll("/", "-"));
    assert.equal((await load()).file, at(file));
    assert.equal((await load()).stores.get("it"), `/${file.replaceAll("/", "-")}`);
  }
  await write("named.yaml", "named.yaml");
  environment.CAIRN_CONFIG = "../named.yaml";
  assert.equal((await load()).file, at("named.yaml"));
  await write("work/flag.yaml", "work-flag.yaml");
  assert.equal((await load("flag.yaml")).file, at("work/flag.yaml"));
  environment.CAIRN_CONFIG = "";
  assert.equal((await load()).file, at("work/cairn.yaml"));
});

Deno.test("a relative XDG folder is ignored, as its specification says", async () => {
  await using here = await place({ XDG_CONFIG_HOME: "../xdg" });
  await here.write("xdg/cairn/cairn.yaml", "x");
  assert.equal((await here.load()).file, undefined);
});

Deno.test("a named file that is missing is not_found, by flag and by variable", async () => {
  await using here = await place();
  await rejects(() => here.load("no.yaml"), "not_found", /no\.yaml does not exist/, /--config/);
  here.environment.CAIRN_CONFIG = "/nonexistent/c.yaml";
  await rejects(() => here.load(), "not_found", /\/nonexistent\/c\.yaml/, /CAIRN_CONFIG/);
});

Deno.test("a file that others may write is refused wherever it is, with the fix", async () => {
  await using here = await place();
  for (const file of ["etc/cairn.yaml", "home/.config/cairn/cairn.yaml", "work/cairn.yaml", "named.yaml"]) {
    for (const mode of [0o620, 0o602, 0o666]) {
      await here.write(file, "x", mode);
      const flag = file === "named.yaml" ? here.at(file) : undefined;
      await rejects(() => here.load(flag), "refused", /cairn\.yaml|named\.yaml/, /^chmod go-w .*\.yaml$/);
    }
    await here.write(file, "x", 0o644);
    await here.load(file === "named.yaml" ? here.at(file) : undefined);
    await Deno.remove(here.at(file));
  }
});

Deno.test("a working folder that others may write is refused, but only when a file is there", async () => {
  await using here = await place();
  await Deno.chmod(here.at("work"), 0o777);
  await here.load();
  await here.write("work/cairn.yaml", "x");
  await rejects(() => here.load(), "refused", /other users may write .*work/, /chmod go-w .*work/);
  assert.equal((await here.load("cairn.yaml")).file, here.at("work/cairn.yaml"));
});

Deno.test("a file or a folder of another user in the working folder is refused", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using here = await place();
  await here.write("work/cairn.yaml", "x");
  await Deno.chown(here.at("work/cairn.yaml"), 65534, 65534);
  await rejects(() => here.load(), "refused", /cairn\.yaml belongs to another user/, /--config/);
  await Deno.chown(here.at("work/cairn.yaml"), 0, 0);
  await Deno.chown(here.at("work"), 65534, 65534);
  await rejects(() => here.load(), "refused", /the folder .*work belongs to another user/);
  await Deno.remove(here.at("work/cairn.yaml"));
  await here.load();
});

Deno.test("what is no text, too large or a folder is said plainly", async () => {
  await using here = await place();
  const { at } = here;
  await Deno.writeFile(at("bytes"), new Uint8Array([0x61, 0xff, 0xfe]), { mode: 0o600 });
  await rejects(() => here.load(at("bytes")), "config", /not text in UTF-8/);
  await Deno.writeFile(at("large"), new Uint8Array((1 << 20) + 1), { mode: 0o600 });
  await rejects(() => here.load(at("large")), "config", /too large/);
  await rejects(() => here.load(at("work")), "config", /is a folder/);
});
