import assert from "node:assert/strict";
import fc from "fast-check";
import { createSqlFilter } from "../../adapters/postgres/sql_filter.ts";
import { CairnError } from "../../errors.ts";

const HEAD = `--
-- PostgreSQL database dump
--

\\restrict abc

BEGIN;

SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
`;
const BODY = `
CREATE PROCEDURE p() LANGUAGE plpgsql AS $$begin
SET transaction_timeout = 0;
COMMIT;
BEGIN;
end$$;

COPY public.e (x) FROM stdin;
\\.


COPY public.t (i, s) FROM stdin;
1	COMMIT;
COMMIT;
2	\\\\.
SET transaction_timeout = 0;
\\.

${"-- much more\n".repeat(50)}`;
const TAIL = `COMMIT;

--
-- PostgreSQL database dump complete
--

\\unrestrict abc

`;
const COPIES = ["COPY public.e (x) FROM stdin;\n", "COPY public.t (i, s) FROM stdin;\n"];
const KNOWN = new Set(["statement_timeout"]);

function filtered(pieces: readonly Uint8Array<ArrayBuffer>[], copies = COPIES) {
  const filter = createSqlFilter(copies, KNOWN);
  const out = pieces.flatMap((piece) => filter.push(piece));
  return { filter, text: new TextDecoder().decode(new Uint8Array(out.flatMap((bytes) => [...bytes]))) };
}

function cut(text: string, sizes: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const bytes = new TextEncoder().encode(text);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const WANTED = HEAD.replace("BEGIN;\n", "").replace("SET transaction_timeout = 0;\n", "") + BODY;

Deno.test("the SQL of a dump goes on without its BEGIN, its last COMMIT and unknown settings, however it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 9 }), (sizes) => {
      const { filter, text } = filtered(cut(HEAD + BODY + TAIL, sizes));
      assert.equal(text, WANTED);
      filter.end();
    }),
  );
});

Deno.test("the SQL of a dump that is cut anywhere never ends well, and never has the last COMMIT", () => {
  const whole = HEAD + BODY + TAIL;
  for (let end = 0; end < whole.indexOf("\n\\unrestrict"); end++) {
    const { filter, text } = filtered(cut(whole.slice(0, end), [whole.length]));
    assert.ok(WANTED.startsWith(text), `cut at ${end}`);
    assert.throws(() => filter.end(), CairnError, `cut at ${end}`);
  }
});

Deno.test("SQL without the rows of a table that the table of contents announced does not end well", () => {
  const { filter } = filtered(cut(HEAD + BODY + TAIL, [97]), [...COPIES, "COPY public.u (a) FROM stdin;\n"]);
  assert.throws(() => filter.end(), CairnError);
});

Deno.test("a database without anything has SQL that ends well", () => {
  const { filter, text } = filtered(cut(HEAD + TAIL, [11]), []);
  filter.end();
  assert.doesNotMatch(text, /COMMIT|BEGIN/);
});
