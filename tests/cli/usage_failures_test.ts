/** What a person or a configuration got wrong: exit code 2 (4 where it may be an attack), and nothing was done. */
import assert from "node:assert/strict";
import { failed, isThere, openPlace, together, worldOf } from "./cairn.ts";

Deno.test("a wrong command line is exit code 2, says what was meant, and begins no run", async () => {
  await using place = await openPlace();
  place.database("app.db", 20);
  const before = await worldOf(place);
  const cases: [args: string[], message: RegExp, hint: RegExp][] = [
    [["backup", "app.db", "--compres", "zstd"], /unknown option "--compres"/, /did you mean "--compress"\?/],
    [["bakcup", "app.db"], /unknown command "bakcup"/, /did you mean "backup"\?/],
    [["backup"], /missing required argument "database"/, /--help/],
    [["backup", "app.db", "more"], /too many arguments/, /--help/],
    [["backup", "app.db", "--compress", "lzma"], /--compress.*"lzma" is invalid/, /--help/],
    [["backup", "app.db", "--level", "0"], /no whole number above 0/, /--help/],
    [["backup", "app.db", "--level", "30"], /zstd has no level 30/, /1 to 19/],
    [["backup", "app.db", "--compress", "none", "--level", "1"], /none has no level 1/, /leave --level out/],
    [["backup", "app.db", "--to", "a", "--to", "b"], /only one --to/, /once for each store/],
    [["backup", "app.db", "--label", "Bad Label"], /"Bad Label" cannot be a label/, /lower-case letters/],
    [["backup", "app.db", "--encrypt-to", "age1x"], /"age1x" is not an age recipient/, /age1/],
    [
      ["backup", "app.db", "--encrypt-to", "age1x", "--passphrase-file", "p"],
      /either --encrypt-to or --pass/,
      /one/,
    ],
    [["backup", "mysql://h/d"], /MySQL is not part of this version yet/, /SQLite/],
    [["backup", "postgres://h"], /the URL names no database/, /user@host\/database/],
    [
      ["backup", "app.db", "--passphrase-file", "nowhere"],
      /secret file .*nowhere cannot be read/,
      /check its path/,
    ],
    [["restore", "latest"], /required option "--into <database>"/, /--help/],
    [["list", "--limit", "-1"], /no whole number above 0/, /--help/],
  ];
  await together(cases, async ([args, message, hint], index) => {
    const options = { env: { CAIRN_HOME: place.path(`home-${index}`) } };
    const ended = await place.cairn([...args, "--json"], options);
    failed(ended, { exit: 2, code: /secret/.test(message.source) ? "config" : "usage", message, hint });
    await Deno.remove(place.path(`home-${index}`), { recursive: true }).catch(() => {});
  });
  failed(await place.cairn(["backup", "app.db", "--tables", "customer", "--json"]), {
    exit: 4,
    code: "refused",
    message: /a backup of some tables needs a label of its own/,
    hint: /--label app-selection/,
  });
  for (const command of ["resume", "cancel"]) {
    failed(await place.cairn([command, "backup-2026", "--json"]), {
      exit: 3,
      code: "not_found",
      message: /there is no run backup-2026/,
      hint: /cairn runs/,
    });
  }
  assert.deepEqual(await worldOf(place), before);
});

Deno.test("a table that is not there is named, with those that are", async () => {
  await using place = await openPlace();
  place.database("app.db", 20);
  const options = ["--label", "some", "--json"];
  const failure = {
    exit: 3,
    code: "not_found",
    message: /no table "custmer"/,
    hint: /did you mean "customer"\?/,
  };
  failed(await place.cairn(["backup", "app.db", "--tables", "custmer", ...options]), failure);
  failed(await place.cairn(["backup", "app.db", "--exclude-tables", "custmer", ...options]), failure);
  assert.equal(await isThere(place.path("backups")), false);
});

Deno.test("a wrong configuration is exit code 2, with line, column and the key that was meant", async () => {
  await using place = await openPlace();
  place.database("app.db", 20);
  const cases: [yaml: string, message: RegExp, hint: RegExp][] = [
    [
      "stores:\n  local: ./b\ndatabasess: {}\n",
      /^cairn\.yaml:3:1: unknown key "databasess"/,
      /did you mean "databases"\?/,
    ],
    [
      "databases:\n  app:\n    path: ./app.db\n    compresion: zstd\n",
      /^cairn\.yaml:4:5: unknown key "compresion"/,
      /compression/,
    ],
    ["databases:\n  app: {path: ./app.db, level: high}\n", /^cairn\.yaml:2:32: /, /./],
    ["databases:\n  app: {path: [}\n", /^cairn\.yaml:2:\d+: /, /./],
    ["databases:\n\tapp: {}\n", /^cairn\.yaml:2:1: /, /./],
  ];
  for (const [yaml, message, hint] of cases) {
    await Deno.writeTextFile(place.path("cairn.yaml"), yaml, { mode: 0o600 });
    for (const args of [["backup", "app.db"], ["config", "check"]]) {
      failed(await place.cairn([...args, "--json"]), { exit: 2, code: "config", message, hint });
    }
  }
  assert.equal(await isThere(place.home), false);
});

Deno.test("a configuration that others may write, or that is not there, is not used", async () => {
  await using place = await openPlace();
  place.database("app.db", 20);
  const file = place.path("cairn.yaml");
  await Deno.writeTextFile(file, "stores: {local: ./elsewhere}\n", { mode: 0o600 });
  const untrusted = { exit: 4, code: "refused" };
  const backup = ["backup", "app.db", "--json"];
  await Deno.chmod(file, 0o666);
  failed(await place.cairn(backup), {
    ...untrusted,
    message: /others? users? may write cairn\.yaml/,
    hint: /chmod go-w/,
  });
  await Deno.chmod(file, 0o600);
  await Deno.chmod(place.folder, 0o777);
  failed(await place.cairn(backup), {
    ...untrusted,
    message: /may write .*, so its cairn\.yaml is not used/,
    hint: /chmod go-w .*--config/,
  });
  failed(await place.cairn([...backup, "--config", "nowhere.yaml"]), {
    exit: 3,
    code: "not_found",
    message: /configuration file nowhere\.yaml does not exist/,
    hint: /--config/,
  });
  await Deno.chmod(place.folder, 0o700);
  assert.equal(await isThere(place.path("elsewhere")), false);
  assert.equal(await isThere(place.home), false);
});
