/** Artifacts that are unknown, damaged, forged or locked: found out, and neither the target nor the store is touched. */
import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import {
  backUp,
  contentOf,
  failed,
  type Failure,
  isThere,
  type Line,
  nothingLeft,
  openPlace,
  type Place,
  together,
  well,
  worldOf,
} from "./cairn.ts";

/** A store with two artifacts of three parts or more, a target that holds something, and a key. */
interface Shelf {
  readonly place: Place;
  readonly first: Line;
  readonly second: Line;
}

async function openShelf(...options: string[]): Promise<Shelf & AsyncDisposable> {
  const place = await openPlace();
  place.database("app.db", 1500);
  place.database("target.db", 20);
  const first = await backUp(place, ...options);
  const second = await backUp(place, ...options);
  assert.ok(first.parts >= 3);
  return { place, first, second, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** What somebody did to the first artifact, in a copy of the store. */
interface Harm {
  readonly what: string;
  /** Changes files; paths are those in the folder of the label. */
  apply(shelf: Shelf, label: (...names: string[]) => string): Promise<unknown> | unknown;
  readonly message: RegExp;
  readonly exit?: number;
  readonly code?: string;
  readonly hint?: RegExp;
  /** What a verify needs to see it: the manifest, as any command; the parts; or their content, decoded. */
  readonly seenIn: "manifest" | "parts" | "content";
}

const decoder = new TextDecoder();

/** Rewrites the manifest of the first artifact. */
function manifest(change: (manifest: Line) => void): Harm["apply"] {
  return async ({ first }, label) => {
    const file = label(`${first.id}.manifest.json`);
    const json: Line = JSON.parse(decoder.decode(await Deno.readFile(file)));
    change(json);
    await Deno.writeTextFile(file, JSON.stringify(json));
  };
}

const part = (artifact: Line, number: number, suffix = ".zst") =>
  `${artifact.id}.full.sqlite/${String(number).padStart(6, "0")}${suffix}`;

async function flipBit(file: string, offset: number): Promise<void> {
  const bytes = await Deno.readFile(file);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  await Deno.writeFile(file, bytes);
}

/**
 * Does each harm to a copy of the store of its own, then verifies and restores over a filled target: both must fail as said, and
 * change nothing.
 */
async function check(shelf: Shelf, harms: readonly Harm[]): Promise<void> {
  const { place, first } = shelf;
  for (const [index, harm] of harms.entries()) {
    const store = place.path(`store-${index}`);
    await copyFolder(place.path("backups"), store);
    await harm.apply(shelf, (...names) => [store, "app", ...names].join("/"));
    const before = await worldOf(place);
    const failure = { exit: 6, code: "verification", hint: /./, ...harm };
    const about = [first.id, "--from", store, "--json"];
    try {
      const commands = [["restore", ...about, "--into", "target.db", "--overwrite"]];
      if (harm.seenIn === "parts") commands.push(["verify", ...about]);
      if (harm.seenIn === "content") commands.push(["verify", ...about, "--read-data"]);
      await together(commands, async (command) => {
        const ended = await place.cairn(command);
        // What a verify found stays in sight until it is looked after.
        const resumable = command[0] === "verify" && failure.code === "verification";
        failed(ended, { ...failure, resumable });
      });
      assert.deepEqual(await worldOf(place), before);
    } catch (error) {
      throw new Error(`${harm.what}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    await Deno.remove(store, { recursive: true });
  }
  await nothingLeft(place);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { mode: 0o700 });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("an artifact that is unknown is exit code 3, one that is not clear exit code 2", async () => {
  await using shelf = await openShelf();
  const { place, first } = shelf;
  const before = await worldOf(place);
  const unknown = {
    exit: 3,
    code: "not_found",
    message: /there is no artifact "[^"]*" in .*\/backups/,
    hint: /cairn list/,
  };
  const asked = ["20200101T", "latest:none"].flatMap((name) => [
    ["restore", name, "--into", "new.db"],
    ["verify", name],
    ["show", name],
    ["export", name],
  ]);
  await together(asked, async (args) => failed(await place.cairn([...args, "--json"]), unknown));
  failed(await place.cairn(["show", "some/folder", "--json"]), {
    exit: 3,
    code: "not_found",
    message: /some\/folder is neither a manifest nor a folder of parts/,
    hint: /manifest\.json/,
  });
  failed(await place.cairn(["restore", first.id.slice(0, 6), "--into", "new.db", "--json"]), {
    exit: 2,
    code: "usage",
    message: /is the beginning of 2 artifacts/,
    hint: /say more of it/,
  });
  makeSample(place.path("other.db"), 10);
  well(await place.cairn(["backup", "other.db", "--to", "second", "--json"]));
  failed(await place.cairn(["show", "latest", "--json"]), {
    exit: 2,
    code: "usage",
    message: /"latest" could mean one of 2 databases/,
    hint: /latest:other/,
  });
  await Deno.remove(place.path("second"), { recursive: true });
  await Deno.remove(place.path("other.db"));
  assert.deepEqual(await worldOf(place), before);
  await nothingLeft(place);
});

Deno.test("parts that are cut, missing, swapped or changed by a bit are exit code 6", async () => {
  await using shelf = await openShelf();
  await check(shelf, [
    {
      what: "a part truncated",
      seenIn: "parts",
      apply: ({ first }, label) => Deno.truncate(label(part(first, 2)), 1000),
      message: /part 000002 of \S+ is damaged: it has 1000 bytes, the manifest says/,
    },
    {
      what: "a part missing",
      seenIn: "parts",
      apply: ({ first }, label) => Deno.remove(label(part(first, 3))),
      message: /part 000003 of \S+ is missing/,
    },
    {
      what: "a part swapped with that of another artifact, of the same size",
      seenIn: "parts",
      apply: async ({ first, second }, label) => {
        const [size] = [(await Deno.stat(label(part(first, 1)))).size];
        const other = await Deno.readFile(label(part(second, 2)));
        const content = new Uint8Array(size);
        content.set(other.subarray(0, size));
        await Deno.writeFile(label(part(first, 1)), content);
      },
      message: /part 000001 of \S+ is damaged: /,
    },
    {
      what: "two parts swapped, and the manifest with them",
      apply: async (shelf, label) => {
        const [one, two] = [label(part(shelf.first, 1)), label(part(shelf.first, 2))];
        const bytes = await Deno.readFile(one);
        await Deno.copyFile(two, one);
        await Deno.writeFile(two, bytes);
        await manifest(({ parts: [a, b] }) => {
          [a.storedBytes, b.storedBytes] = [b.storedBytes, a.storedBytes];
          [a.sha256, b.sha256] = [b.sha256, a.sha256];
          [a.plainBytes, b.plainBytes] = [b.plainBytes, a.plainBytes];
        })(shelf, label);
      },
      message: /checksum|SHA-256/,
      seenIn: "content",
    },
    {
      what: "one bit flipped",
      seenIn: "parts",
      apply: ({ first }, label) => flipBit(label(part(first, 2)), 5000),
      message: /part 000002 of \S+ is damaged: /,
    },
    {
      what: "the folder of the parts is a link that leads elsewhere",
      seenIn: "parts",
      apply: async ({ first }, label) => {
        const folder = label(`${first.id}.full.sqlite`);
        await Deno.rename(folder, label("..", "elsewhere"));
        await Deno.symlink("../elsewhere", folder);
      },
      exit: 4,
      code: "refused",
      message: /is a symbolic link, which a store never follows/,
    },
  ]);
});

Deno.test("manifests that are damaged, forged or lead out of their folder are exit code 6", async () => {
  await using shelf = await openShelf();
  await check(shelf, [
    {
      what: "cut",
      seenIn: "manifest",
      apply: ({ first }, label) => Deno.truncate(label(`${first.id}.manifest.json`), 300),
      message: /manifest \S+ is damaged: it is not JSON/,
      hint: /restore another artifact/,
    },
    {
      what: "a part outside",
      seenIn: "manifest",
      apply: manifest((json) => json.parts[0].name = "../../../../etc/passwd"),
      message: /damaged or forged: .*parts/,
    },
    {
      what: "an artifact outside",
      seenIn: "manifest",
      apply: manifest((json) => json.format = "../../x"),
      message: /forged|never make/,
    },
    {
      what: "an id outside",
      seenIn: "manifest",
      apply: manifest((json) => json.id = "../../x"),
      message: /damaged or forged|is that of/,
    },
    {
      what: "the manifest of the other artifact",
      seenIn: "manifest",
      apply: ({ first, second }, label) =>
        Deno.copyFile(label(`${second.id}.manifest.json`), label(`${first.id}.manifest.json`)),
      message: /is that of/,
      hint: /renamed or swapped/,
    },
    {
      what: "a forged sum of sizes",
      seenIn: "manifest",
      apply: manifest((json) => json.plainBytes *= 1000),
      message: /states a wrong plain size/,
    },
    {
      what: "a forged size of a part",
      apply: manifest((json) => {
        json.parts[0].plainBytes *= 2;
        json.plainBytes += json.parts[0].plainBytes / 2;
      }),
      message: /./,
      seenIn: "content",
    },
    {
      what: "a part that is left out",
      apply: manifest((json) => {
        const { plainBytes, storedBytes } = json.parts.pop();
        json.plainBytes -= plainBytes;
        json.storedBytes -= storedBytes;
      }),
      message: /checksum|SHA-256/,
      seenIn: "content",
    },
    {
      what: "of a newer version",
      seenIn: "manifest",
      apply: manifest((json) => json.version = 99),
      exit: 4,
      code: "newer_version",
      message: /was written by a newer Cairn/,
      hint: /upgrade/,
    },
  ]);
  // A damaged artifact is left out of lists, and the next backup is made all the same.
  const { place, first, second } = shelf;
  await Deno.truncate(place.path("backups/app", `${second.id}.manifest.json`), 100);
  await Deno.remove(place.path("home/catalog.db"));
  const listed = await place.cairn(["list", "--json"]);
  assert.deepEqual(well(listed).artifacts.map((artifact: Line) => artifact.id), [first.id]);
  assert.match(listed.stderr, new RegExp(`warning: .*${second.id}.*is left out: .*damaged`));
  const third = await backUp(place);
  assert.ok(third.id > second.id);
});

Deno.test("the wrong key, no key or the wrong passphrase is exit code 4", async () => {
  await using place = await openPlace();
  place.database("app.db");
  const { recipient } = well(await place.cairn(["key", "generate", "--output", "right.txt", "--json"]));
  well(await place.cairn(["key", "generate", "--output", "wrong.txt", "--json"]));
  await Deno.writeTextFile(place.path("pass"), "correct horse\n");
  await Deno.writeTextFile(place.path("pass-wrong"), "battery staple\n");
  const keyed = await backUp(place, "--encrypt-to", recipient, "--label", "keyed");
  const sealed = await backUp(place, "--passphrase-file", "pass", "--label", "sealed");
  const attempts: [
    artifact: string,
    keys: string[],
    failure: Omit<Failure, "exit" | "code"> & { code?: string },
  ][] = [
    [keyed.id, [], { message: /is encrypted, and no key was given/, hint: /--identity/ }],
    [keyed.id, ["--identity", "wrong.txt"], { message: /no key that was given opens/, hint: /./ }],
    [keyed.id, ["--identity", "nowhere.txt"], {
      message: /key file .*nowhere\.txt cannot be read/,
      hint: /--identity/,
    }],
    [keyed.id, ["--identity", "app.db"], { message: /app\.db cannot be used as a key: line 1/, hint: /./ }],
    [sealed.id, [], {
      message: /a secret has to be typed in, and nobody can be asked/,
      hint: /file with the secret/,
    }],
    [sealed.id, ["--passphrase-file", "pass-wrong"], { message: /passphrase/, hint: /./ }],
  ];
  attempts.forEach((_, index) => place.database(`target-${index}.db`, 20));
  const before = await worldOf(place);
  await together(attempts, async ([artifact, keys, failure], index) => {
    const about = [artifact, ...keys, "--json"];
    const commands = [["restore", ...about, "--into", `target-${index}.db`, "--overwrite"]];
    if (keys.includes("wrong.txt")) {
      commands.push(["verify", ...about, "--read-data"], ["show", ...about], ["export", ...about]);
    }
    for (const command of commands) failed(await place.cairn(command), { exit: 4, code: "key", ...failure });
  });
  assert.deepEqual(await worldOf(place), before);
  const shown = well(await place.cairn(["show", keyed.id, "--json"]));
  assert.equal(shown.artifact.private, null);
  well(await place.cairn(["verify", keyed.id, "--read-data", "--identity", "right.txt", "--json"]));
  await nothingLeft(place);
});

Deno.test("what is encrypted can be neither swapped nor changed, even where the manifest is changed as well", async () => {
  await using place = await openPlace();
  const { recipient } = well(await place.cairn(["key", "generate", "--json"]));
  place.database("app.db", 1500);
  place.database("target.db", 20);
  const first = await backUp(place, "--encrypt-to", recipient);
  const shelf = { place, first, second: first };
  const suffix = ".zst.age";
  await check(shelf, [
    {
      what: "a bit flipped, and its checksum corrected",
      apply: async (shelf, label) => {
        const file = label(part(first, 2, suffix));
        await flipBit(file, 5000);
        const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(file));
        await manifest((json) => json.parts[1].sha256 = new Uint8Array(digest).toHex())(shelf, label);
      },
      message: /./,
      seenIn: "content",
    },
    {
      what: "one part in the place of another",
      apply: async (shelf, label) => {
        await Deno.copyFile(label(part(first, 2, suffix)), label(part(first, 1, suffix)));
        await manifest((json) => {
          const [a, b] = json.parts;
          json.storedBytes += b.storedBytes - a.storedBytes;
          json.plainBytes += b.plainBytes - a.plainBytes;
          Object.assign(a, { ...b, name: a.name });
        })(shelf, label);
      },
      message: /checksum|SHA-256/,
      seenIn: "content",
    },
    {
      what: "the private part changed",
      apply: manifest((json) => {
        const bytes = [...json.private];
        bytes[400] = bytes[400] === "A" ? "B" : "A";
        json.private = bytes.join("");
      }),
      exit: 6,
      message: /private part/,
      seenIn: "content",
    },
  ]);
  assert.ok(await isThere(place.path("target.db")));
  assert.ok(Object.keys(await contentOf(place.path("backups"))).length > 3);
});
