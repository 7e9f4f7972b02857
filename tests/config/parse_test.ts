import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { parseConfig } from "../../config/parse.ts";

function errorOf(text: string): CairnError {
  try {
    parseConfig(text, "cairn.yaml");
  } catch (error) {
    assert.ok(error instanceof CairnError, `not a CairnError: ${error}`);
    assert.equal(error.code, "config");
    return error;
  }
  throw new Error(`accepted: ${text}`);
}

/** Each mistake with the whole message, and the hint where there is one. */
const MISTAKES: readonly (readonly [string, string, string?])[] = [
  [
    "databases:\n  shop:\n    path: /a\n    compresion: zstd\n",
    'cairn.yaml:4:5: unknown key "compresion" in databases.shop',
    'did you mean "compression"?',
  ],
  [
    "store: /x\ndatabase:\n  a: {path: x, lvel: 3}\n",
    'cairn.yaml:1:1: unknown key "store"',
    'did you mean "stores"?',
  ],
  [
    "password: x\n",
    'cairn.yaml:1:1: unknown key "password"',
    "known here: stores, encrypt_to, databases, state, compression, level",
  ],
  ["constructor: x\n", 'cairn.yaml:1:1: unknown key "constructor"'],
  ["__proto__: {a: 1}\n", 'cairn.yaml:1:1: unknown key "__proto__"'],
  ["stores: {constructor: /x}\n", 'cairn.yaml:1:10: the name "constructor" in stores is reserved'],
  ["- a\n- b\n", "cairn.yaml:1:1: the file must be a group of keys and values"],
  ["just text", "cairn.yaml:1:1: the file must be a group of keys and values"],
  ["stores: [/x]\n", "cairn.yaml:1:9: stores must be a group of keys and values"],
  ["databases:\n  a: [x]\n", "cairn.yaml:2:6: databases.a must be a group of keys and values"],
  ["databases: !!set {a, b}\n", "cairn.yaml:1:18: databases must be a group of keys and values"],
  ["stores: /x\n", "cairn.yaml:1:9: stores must be a group of names and folders"],
  [
    "stores:\n  local: 3\n",
    "cairn.yaml:2:10: stores.local must be text",
    "put it in quotes if it looks like a number, a date or a group",
  ],
  ['stores:\n  local: ""\n', "cairn.yaml:2:10: stores.local must not be empty"],
  [
    "stores:\n  Local: /x\n",
    'cairn.yaml:2:3: the name "Local" in stores must be made of small letters, digits, ".", "_" and "-", begin with a letter or digit, and have 63 at most',
  ],
  ["databases:\n  a: {path: x}\n  a: {path: y}\n", "cairn.yaml:3:3: map keys must be unique"],
  [
    "databases: {a: {path: x}\n",
    "cairn.yaml:2:1: flow map in block collection must be sufficiently indented and end with a }",
  ],
  [
    "stores: [\n",
    "cairn.yaml:2:1: flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["level: 3\n} x\n", "cairn.yaml:2:1: unexpected flow-map-end token in YAML stream"],
  ["stores:\n\ta: /x\n", "cairn.yaml:2:1: tabs are not allowed as indentation"],
  [
    "stores: *nowhere\n",
    "cairn.yaml:1:1: unresolved alias (the anchor must be set before the alias)",
  ],
  [
    "a: 1\n---\nb: 2\n",
    "cairn.yaml:2:1: source contains multiple documents; please use YAML.parseAllDocuments()",
  ],
  ["level: 0\n", "cairn.yaml:1:8: level must be a whole number from 1 to 19 (gzip: to 9)"],
  ["level: 3.5\n", "cairn.yaml:1:8: level must be a whole number from 1 to 19 (gzip: to 9)"],
  ['level: "3"\n', "cairn.yaml:1:8: level must be a whole number from 1 to 19 (gzip: to 9)"],
  ["compression: gzip\nlevel: 12\n", "cairn.yaml:2:8: level: the level of gzip must be from 1 to 9"],
  [
    "level: 12\ndatabases:\n  a: {path: x, compression: gzip}\n",
    "cairn.yaml:3:29: databases.a: the level of gzip must be from 1 to 9",
  ],
  ["compression: gzipp\n", "cairn.yaml:1:14: compression must be zstd, gzip or none"],
  ["databases:\n  shop:\n", "cairn.yaml:2:8: databases.shop must be a group of keys and values"],
  ["databases:\n  shop: {label: x}\n", "cairn.yaml:2:3: databases.shop: it must have a url or a path"],
  [
    "databases:\n  shop: {url: 'sqlite:/a', path: /a}\n",
    "cairn.yaml:2:28: databases.shop: give either url or path, not both",
  ],
  [
    "databases:\n  shop: {url: app.db}\n",
    "cairn.yaml:2:15: databases.shop.url must be a URL such as sqlite:/srv/app.db",
    'a path belongs under "path"',
  ],
  [
    "stores: {local: /x, offsite: /y}\ndatabases:\n  a: {path: x, stores: [local, offsite]}\n",
    "cairn.yaml:3:24: databases.a: it must name exactly one store",
    "copies to further stores do not exist yet",
  ],
  [
    "stores: {local: /x}\ndatabases:\n  a: {path: x, store: lcoal}\n",
    'cairn.yaml:3:23: databases.a: no store is called "lcoal"',
    'did you mean "local"?',
  ],
  [
    "databases:\n  a: {path: x, stores: [far]}\n",
    'cairn.yaml:2:25: databases.a: no store is called "far"',
    "add it under stores, or write ./far for a folder",
  ],
  [
    "databases:\n  a: {path: x}\n  b: {path: y, label: a}\n",
    'cairn.yaml:3:23: databases.b would have the label "a" of databases.a',
    "the backups of two databases must not be mixed: give one of them another label",
  ],
  [
    "databases:\n  a:\n    path: x\n    encrypt_to: [age1q]\n    passphrase: {env: P}\n",
    "cairn.yaml:5:5: databases.a: give either encrypt_to or passphrase, not both",
  ],
  ["databases:\n  a: {path: x, tables: t}\n", "cairn.yaml:2:24: databases.a.tables must be a list of tables"],
  [
    "databases:\n  a: {path: x, tables: [t, 1]}\n",
    "cairn.yaml:2:28: databases.a.tables[1] must be text",
    "put it in quotes if it looks like a number, a date or a group",
  ],
  [
    "encrypt_to: age1q\n",
    "cairn.yaml:1:13: encrypt_to must be a list of age recipients, for example [age1…]",
  ],
];

for (const [text, message, hint] of MISTAKES) {
  Deno.test(`it is said where and what: ${message.slice(0, 90)}`, () => {
    const error = errorOf(text);
    assert.equal(error.message, message);
    if (hint !== undefined) assert.equal(error.hint?.split("; ")[0], hint);
  });
}

Deno.test("the first problem in the file is told, and how many follow", () => {
  const one = errorOf("level: x\nstate: 3\n");
  assert.match(one.message, /:1:8: level/);
  assert.equal(one.hint, "one further problem follows");
  const more = errorOf("state: 1\nlevel: x\ncompression: x\ncompresion: y\n");
  assert.match(more.message, /:1:8: state/);
  assert.match(more.hint ?? "", /^put it in quotes .*; 3 further problems follow$/);
});

Deno.test("a misplaced secret is never repeated", () => {
  const secret = "hunter2-Correct-Horse";
  for (
    const text of [
      `databases: {a: {path: x, passphrase: ${secret}}}`,
      `databases: {a: {path: x, passphrase: {env: "${secret}"}}}`,
      `databases: {a: {path: x, passphrase: {value: ${secret}}}}`,
      `databases: {a: {path: x, passphrase: {command: ${secret}}}}`,
      `databases: {a: {path: x, passphrase: {file: [${secret}]}}}`,
      `encrypt_to: [AGE-SECRET-KEY-${secret}]`,
      `encrypt_to: AGE-SECRET-KEY-${secret}`,
      `databases: {a: {url: ${secret}}}`,
      `compression: ${secret}`,
      `level: ${secret}`,
      `databases: [${secret}]`,
      `databases: {a: {path: x, passphrase: "${secret}}`,
      `"a" ${secret}`,
      `a: !${secret}! x`,
      `a: !${secret}`,
      `a: "\\u00 ${secret}"`,
      `a: |${secret}\n`,
      `a: b\n${secret}\n`,
    ]
  ) {
    const error = errorOf(text);
    assert.ok(!`${error.message} ${error.hint}`.includes(secret), error.message);
  }
});

Deno.test("groups that are left empty count as absent", () => {
  for (
    const text of [
      "",
      "# only a comment\n",
      "stores:\ndatabases:\n  # shop: …\nencrypt_to:\nlevel:\n",
      "---\n",
    ]
  ) {
    const { written, storeNames } = parseConfig(text, "cairn.yaml");
    assert.deepEqual(Object.values(written).filter(Boolean), []);
    assert.deepEqual(storeNames, []);
  }
});

Deno.test("stores keep the order of the file, also those called by numbers", () => {
  const { storeNames } = parseConfig("stores: {far: /f, '2': /2, 1: /1, near: /n}\n", "cairn.yaml");
  assert.deepEqual(storeNames, ["far", "2", "1", "near"]);
});

Deno.test("a problem behind an alias is placed at the alias", () => {
  const error = errorOf("databases:\n  a: &same\n    path: x\n    label: l\n  b: *same\n");
  assert.match(error.message, /:5:6: databases\.b would have the label "l" of databases\.a$/);
});

Deno.test("aliases that multiply are refused", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let index = 0; index < 9; index++) {
    const [from, to] = [String.fromCharCode(97 + index), String.fromCharCode(98 + index)];
    bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(", ")}]`);
  }
  assert.match(errorOf(bomb.join("\n")).message, /excessive alias count/i);
});

Deno.test("whatever the text, it is read or refused with its place", () => {
  const pieces = fc.constantFrom(
    ..."databases stores path url label level encrypt_to passphrase env file command tables state".split(" "),
    ...": - , { } [ ] & * ! !!set !!map !!binary % --- ... | > ' \" # ? << a 1 3.5 ~ null 2026-01-01 age1q /x"
      .split(" "),
    ...[
      "\n",
      "\n  ",
      "\n    ",
      " ",
      "\t",
      ": ",
      "&a ",
      "*a ",
      "__proto__",
      "constructor",
      "%YAML 1.1\n---\n",
    ],
  );
  const text = fc.oneof(fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")), fc.string());
  const json = fc.json();
  fc.assert(
    fc.property(fc.oneof(text, json), (written) => {
      try {
        parseConfig(written, "cairn.yaml");
      } catch (error) {
        assert.ok(error instanceof CairnError && error.code === "config", `${error}`);
        assert.match(error.message, /^cairn\.yaml:[1-9]\d*:[1-9]\d*: \S/);
        assert.doesNotMatch(error.message, /undefined|\[object|Invalid|Expected/);
      }
    }),
    { numRuns: 1000 },
  );
});
