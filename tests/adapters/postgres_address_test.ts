import assert from "node:assert/strict";
import { connectionTo, postgresAddress } from "../../adapters/postgres/address.ts";
import { parseAddress, shortName, splitPassword } from "../../adapters/registry.ts";
import { CairnError } from "../../errors.ts";

Deno.test("the URL of a PostgreSQL database becomes canonical", () => {
  const same: Record<string, string> = {
    "postgres://u@h/d": "postgres://u@h/d",
    "postgresql://u@DB1.example.COM:5432/d": "postgres://u@db1.example.com/d",
    "postgres://u@h:5433/d?sslrootcert=/c.pem&sslmode=require":
      "postgres://u@h:5433/d?sslmode=require&sslrootcert=/c.pem",
    "postgres://u@/d%20x?host=/run/pg": "postgres://u@/d%20x?host=/run/pg",
    "postgres://%2Frun%2Fpg/d": "postgres://%2Frun%2Fpg/d",
    "postgres://[::1]:5432/d": "postgres://[::1]/d",
  };
  for (const [text, url] of Object.entries(same)) {
    assert.equal(postgresAddress(text).url, url);
    assert.equal(postgresAddress(url).url, url);
  }
});

Deno.test("a URL that cannot be read is refused without being shown", () => {
  for (
    const text of [
      "postgres://u@h",
      "postgres://u@h/",
      "postgres://u:s3cret@h/d",
      "postgres://h/d?sslpassword=s3cret",
      "postgres://u:s3/cret@h/d",
      "postgres://h:x/d",
      "postgres:d",
      "postgres://a,b/d",
      "postgres://%zz@h/d",
    ]
  ) {
    assert.throws(() => postgresAddress(text), (error) => {
      assert.ok(error instanceof CairnError && error.code === "usage", text);
      assert.doesNotMatch(error.message, /s3/);
      return true;
    });
  }
});

Deno.test("clients are told of a database by variables only", () => {
  const access = {
    ...postgresAddress("postgres://u%40x@h:99/a%3Db?sslmode=verify-full"),
    password: "p w",
  };
  assert.deepEqual(
    connectionTo(access).environment,
    {
      PGDATABASE: "a=b",
      PGCONNECT_TIMEOUT: "10",
      PGCLIENTENCODING: "UTF8",
      PGAPPNAME: "cairn",
      PGHOST: "h",
      PGPORT: "99",
      PGUSER: "u@x",
      PGSSLMODE: "verify-full",
      PGPASSWORD: "p w",
    },
  );
});

Deno.test("a password is taken out of a URL, encoded or not", () => {
  const cases: Record<string, [string, string | undefined]> = {
    "postgres://u:p%40s%22s%2F1%20%C3%BC@h/d": ["postgres://u@h/d", 'p@s"s/1 ü'],
    "postgres://u:p@s:s@h/d?sslmode=require": ["postgres://u@h/d?sslmode=require", "p@s:s"],
    "postgres://u@h/d?password=x&sslmode=require": ["postgres://u@h/d?sslmode=require", "x"],
    "postgres://u:100%@h/d": ["postgres://u@h/d", "100%"],
    "postgres://u@h/d": ["postgres://u@h/d", undefined],
    "sqlite:/srv/a:b@c.db": ["sqlite:/srv/a:b@c.db", undefined],
    "C:/app.db": ["C:/app.db", undefined],
  };
  for (const [text, [url, password]] of Object.entries(cases)) {
    assert.deepEqual(splitPassword(text), { url, password });
  }
});

Deno.test("a database is called by its name", async () => {
  assert.equal(shortName(await parseAddress("postgresql://u@h/My%20Shop")), "My Shop");
  assert.equal(shortName({ engine: "postgres", url: "postgres://u@/d?host=/run/x" }), "d");
  assert.equal(shortName({ engine: "sqlite", url: "sqlite:/srv/what?.db" }), "what?.db");
});
