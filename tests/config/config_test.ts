import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { type Config, loadConfig } from "../../config/config.ts";
import { stateFolder } from "../../config/paths.ts";
import { parseConfig } from "../../config/parse.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { sampleConfig } from "../../config/sample.ts";
import { configJsonSchema, NAME } from "../../config/schema.ts";

async function load(text: string): Promise<{ config: Config; folder: string }> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.writeTextFile(join(folder, "c.yaml"), text, { mode: 0o600 });
    const config = await loadConfig({
      flag: join(folder, "c.yaml"),
      read: (name) => ({ HOME: "/home/me" })[name],
    });
    return { config, folder };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("every key arrives, with paths relative to the file", async () => {
  const { config, folder } = await load(`
stores:
  local: backups
  mine: ~/backups
  abs: /var/backups
  far: s3://bucket/cairn
encrypt_to: [age1qqq]
state: state
compression: gzip
level: 6
databases:
  shop:
    path: shop.db
    label: shop-1
    store: mine
    compression: zstd
    level: 19
    encrypt_to: []
    tables: [a, "b c"]
    exclude_tables: [d]
  crm:
    url: sqlite:data/crm.db
    stores: [far]
    passphrase: {file: crm.pass}
  env:
    url: sqlite:/abs/x.db
    store: ./beside
    passphrase: {env: PASS}
  last:
    url: sqlite:///abs/y.db
    store: file:///var/z
    passphrase: {command: [pass, show, cairn]}
`);
  assert.deepEqual([...config.stores], [
    ["local", join(folder, "backups")],
    ["mine", "/home/me/backups"],
    ["abs", "/var/backups"],
    ["far", "s3://bucket/cairn"],
  ]);
  assert.equal(config.file, join(folder, "c.yaml"));
  assert.equal(config.state, join(folder, "state"));
  assert.deepEqual([config.encryptTo, config.compression, config.level], [["age1qqq"], "gzip", 6]);
  const set = (name: string) =>
    Object.fromEntries(
      Object.entries(config.databases.get(name) ?? {}).filter(([, value]) => value !== undefined),
    );
  assert.deepEqual([...config.databases.keys()], ["shop", "crm", "env", "last"]);
  assert.deepEqual(set("shop"), {
    url: `sqlite:${join(folder, "shop.db")}`,
    label: "shop-1",
    store: "mine",
    compression: "zstd",
    level: 19,
    encryptTo: [],
    tables: ["a", "b c"],
    excludeTables: ["d"],
  });
  assert.deepEqual(set("crm"), {
    url: `sqlite:${join(folder, "data/crm.db")}`,
    store: "far",
    passphrase: { file: join(folder, "crm.pass") },
  });
  assert.deepEqual(set("env"), {
    url: "sqlite:/abs/x.db",
    store: join(folder, "beside"),
    passphrase: { env: "PASS" },
  });
  assert.deepEqual(set("last"), {
    url: "sqlite:///abs/y.db",
    store: "file:///var/z",
    passphrase: { command: ["pass", "show", "cairn"] },
  });
});

Deno.test("the state folder: flag, variable, file, XDG, home, in this order", () => {
  const read = (variables: Record<string, string>) => (name: string) => variables[name];
  const all = { CAIRN_HOME: "/env", XDG_STATE_HOME: "/xdg", HOME: "/home/me" };
  assert.equal(stateFolder("/flag", { state: "/file" }, read(all)), "/flag");
  assert.equal(stateFolder("flag", {}, read(all)), resolve("flag"));
  assert.equal(stateFolder(undefined, { state: "/file" }, read(all)), "/env");
  assert.equal(stateFolder(undefined, { state: "/file" }, read({ ...all, CAIRN_HOME: "" })), "/file");
  assert.equal(stateFolder(undefined, {}, read({ ...all, CAIRN_HOME: "" })), "/xdg/cairn");
  assert.equal(
    stateFolder(undefined, {}, read({ HOME: "/h", XDG_STATE_HOME: "rel" })),
    "/h/.local/state/cairn",
  );
  assert.throws(() => stateFolder(undefined, {}, read({})), { code: "config" });
});

Deno.test("the sample loads and holds what it was given, whatever that is", () => {
  const letter = fc.constantFrom(..."abcxyz0189");
  const rest = fc.string({ unit: fc.constantFrom(..."az09._-"), maxLength: 62 });
  const name = fc.tuple(letter, rest).map((parts) => parts.join("")).filter((text) => NAME.test(text));
  const path = fc.oneof(
    fc.string({ minLength: 1, unit: "binary" }),
    fc.constantFrom(
      "/srv/my app.db",
      "a: b",
      "# x",
      "'",
      '"',
      "\\",
      "null",
      "true",
      "1",
      "&a",
      "*a",
      "- x",
      "{",
      "%",
    ),
  ).filter((text) => !text.includes("\0") && !/^~(\/|$)|^[a-z][a-z0-9+.-]+:/i.test(text));
  const recipient = fc.option(fc.string({ unit: letter, minLength: 1 }).map((text) => `age1${text}`), {
    nil: undefined,
  });
  const databases = fc.uniqueArray(fc.record({ name, path }), { selector: (one) => one.name, maxLength: 4 });
  fc.assert(
    fc.property(recipient, path, databases, (given, store, list) => {
      const sample = sampleConfig({ recipient: given, store, databases: list });
      const config = resolveConfig(
        parseConfig(sample, "cairn.yaml"),
        "/etc/cairn/cairn.yaml",
        () => undefined,
      );
      const folder = "/etc/cairn";
      assert.deepEqual(config.encryptTo, given === undefined ? [] : [given]);
      assert.deepEqual([...config.stores], [["local", resolve(folder, store)]]);
      assert.equal(config.databases.size, list.length);
      for (const one of list) {
        assert.equal(config.databases.get(one.name)?.url, `sqlite:${resolve(folder, one.path)}`);
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("every commented key of the sample is right when its comment sign is taken away", async () => {
  const sample = sampleConfig({ store: "/var/backups", databases: [{ name: "app", path: "/srv/app.db" }] });
  const keys: string[] = [];
  for (const line of sample.split("\n")) {
    const [, indent = "", key, value] = /^( *)# ([a-z_]+): (.+)$/.exec(line) ?? [];
    if (key === undefined || line.includes(" says")) continue;
    const one = sample.replace(line, `${indent}${key}: ${value?.replace("age1…", "age1qqq")}`);
    if (one === sample || !/^(\[|\{|[a-z0-9/]+( |$))/.test(value ?? "")) continue;
    keys.push(key);
    await load(one);
  }
  for (
    const key of ["encrypt_to", "level", "state", "label", "store", "compression", "tables", "passphrase"]
  ) {
    assert.ok(keys.includes(key), key);
  }
});

Deno.test("a sample for a name that no database can have is refused", () => {
  assert.throws(
    () => sampleConfig({ store: "x", databases: [{ name: "My App", path: "x" }] }),
    (thrown) => thrown instanceof CairnError && thrown.code === "usage",
  );
});

Deno.test("the JSON schema knows every key and refuses others", async () => {
  const schema = JSON.parse(JSON.stringify(await configJsonSchema()));
  assert.equal(schema.title, "cairn.yaml");
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(Object.keys(schema.properties), [
    "stores",
    "encrypt_to",
    "databases",
    "state",
    "compression",
    "level",
  ]);
  const text = JSON.stringify(schema);
  for (const key of ["exclude_tables", "passphrase", "command", "zstd"]) {
    assert.ok(text.includes(`"${key}"`), key);
  }
});
