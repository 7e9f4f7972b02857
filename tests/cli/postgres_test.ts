/** PostgreSQL through the program itself: from the URL to the restored database, without a password in sight. */
import assert from "node:assert/strict";
import { RICH } from "../adapters/postgres_recipe.ts";
import { readContent } from "../adapters/postgres_harness.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { failed, nothingLeft, openPlace, type Place, well } from "./cairn.ts";

const PASSWORD = `p@s"s/1 ü`;
/** As it could stand in a URL, in JSON, in base64 and in a shell. */
const FORMS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  encodeURI(PASSWORD),
  JSON.stringify(PASSWORD).slice(1, -1),
  btoa(String.fromCharCode(...new TextEncoder().encode(PASSWORD))).slice(0, -2),
];

if (hasPostgres()) {
  let server: PostgresServer;
  Deno.test.beforeAll(async () => {
    server = await startPostgres();
    await server.sql(
      "postgres",
      `create role needs_password superuser login password '${PASSWORD}'; create database shop`,
    );
    await server.sql("shop", RICH);
  });
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

  Deno.test("postgres: ping, backup and restore into a new and over an old database, without the password in sight", async () => {
    await using place = await openPlace();
    const url = (database: string) => server.url(database, "needs_password");
    const env = { PGPASSWORD: PASSWORD };
    await using watch = watchCommandLines();
    const outputs: string[] = [];
    const cairn = async (...args: string[]) => {
      const ended = await place.cairn([...args, "--json"], { env });
      outputs.push(ended.stdout, ended.stderr);
      return well(ended);
    };
    assert.match((await cairn("ping", url("shop"))).engineVersion, /^PostgreSQL 15/);
    const { artifact } = await cairn("backup", url("shop"), "--to", "store");
    assert.equal(artifact.label, "shop");
    const manifest = JSON.parse(await Deno.readTextFile(place.path("store", artifact.manifest)));
    const rows = Number(await server.sql("shop", "select count(*) from log"));
    assert.deepEqual(manifest.private.tables.find(({ name }: { name: string }) => name === "log"), {
      name: "log",
      rows,
    });
    const { restored } = await cairn("restore", "latest:shop", "--into", url("shop2"), "--from", "store");
    assert.ok(restored.tables >= 10);
    assert.equal(await readContent(server, "shop2"), await readContent(server, "shop"));
    await server.sql("shop2", "drop table account; create table strange (a int)");
    const refused = await place.cairn([
      "restore",
      "latest:shop",
      "--into",
      url("shop2"),
      "--from",
      "store",
      "--json",
    ], { env });
    failed(refused, { exit: 4, code: "target_exists", message: /has \d+ tables/, hint: /--overwrite/ });
    await cairn("restore", "latest:shop", "--into", url("shop2"), "--from", "store", "--overwrite");
    assert.equal(await readContent(server, "shop2"), await readContent(server, "shop"));
    await nothingLeft(place);
    watch.assertNone();
    assertNone(outputs.join("\n"), "the output");
    await assertNoneIn(place);
  });

  Deno.test("postgres: a password in a URL is accepted with a warning, and stays nowhere", async () => {
    await using place = await openPlace();
    const url = server.url("shop", `needs_password:${encodeURIComponent(PASSWORD)}`);
    const ended = await place.cairn(["backup", url, "--to", "store", "--json"]);
    well(ended);
    assert.match(ended.stderr, /a password on the command line can be seen/);
    assertNone(ended.stdout + ended.stderr, "the output");
    await assertNoneIn(place);
  });

  Deno.test("postgres: the configuration says where the password is", async () => {
    await using place = await openPlace();
    await Deno.writeTextFile(place.path("secret"), `${PASSWORD}\n`, { mode: 0o600 });
    const config = `databases:\n  shop:\n    url: ${
      server.url("shop", "needs_password")
    }\n    password: {file: secret}\nstores:\n  here: store\n`;
    await Deno.writeTextFile(place.path("cairn.yaml"), config, { mode: 0o600 });
    await Deno.chmod(place.folder, 0o700);
    well(await place.cairn(["backup", "shop", "--json"]));
    await assertNoneIn(place, ["secret"]);
    await Deno.writeTextFile(place.path("secret"), "wrong\n");
    const wrong = await place.cairn(["backup", "shop", "--json"]);
    failed(wrong, {
      exit: 4,
      code: "permission",
      message: /password authentication failed/,
      hint: /password/,
    });
    await Deno.writeTextFile(
      place.path("cairn.yaml"),
      config.replace("needs_password@", "needs_password:x@"),
    );
    const inUrl = await place.cairn(["backup", "shop", "--json"]);
    failed(inUrl, {
      exit: 2,
      code: "config",
      message: /the url must not hold a password/,
      hint: /password: \{env/,
    });
  });

  Deno.test("postgres: the command of the manifest restores the database without Cairn", async () => {
    await using place = await openPlace();
    const { artifact } = well(await place.cairn(["backup", server.url("shop"), "--to", "store", "--json"]));
    const manifest = JSON.parse(await Deno.readTextFile(place.path("store", artifact.manifest)));
    await server.sql("postgres", "create database by_hand template template0");
    const { success, stderr } = await new Deno.Command("bash", {
      args: ["-c", manifest.restore],
      cwd: place.path("store", "shop"),
      env: { DB: `dbname=by_hand host=${server.socket} user=postgres` },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(await readContent(server, "by_hand"), await readContent(server, "shop"));
  });
}

function assertNone(text: string, where: string): void {
  for (const form of FORMS) assert.ok(!text.includes(form), `${where} shows the password as ${form}`);
}

/** Looks through every file of a place, journal and log among them. */
async function assertNoneIn({ folder }: Place, but: readonly string[] = []): Promise<void> {
  const look = async (path: string) => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
      if (isDirectory) await look(`${path}/${name}`);
      if (isFile && !but.includes(name)) {
        assertNone(new TextDecoder().decode(await Deno.readFile(`${path}/${name}`)), `${path}/${name}`);
      }
    }
  };
  await look(folder);
}

/** Samples the command lines of all processes until it is disposed. */
function watchCommandLines(): AsyncDisposable & { assertNone(): void } {
  const seen = new Set<string>();
  let isOver = false;
  const work = (async () => {
    while (!isOver) {
      for await (const { name } of Deno.readDir("/proc")) {
        if (/^\d+$/.test(name)) seen.add(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  })();
  return {
    assertNone() {
      const all = [...seen].join("\n");
      for (const program of ["pg_dump", "pg_restore", "psql"]) {
        assert.match(all, new RegExp(program), "not seen");
      }
      assertNone(all, "a command line");
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await work;
    },
  };
}
