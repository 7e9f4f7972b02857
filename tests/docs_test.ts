/**
 * The documents are true: the blocks of README.md and docs/ that are marked `sh test` run as they stand, the tables of
 * codes are those of errors.ts, and links lead to files and headings that are there.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CODES } from "../errors.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DOCUMENTS = [
  "README.md",
  ...["docs", "docs/databases"].flatMap((folder) =>
    Array.from(Deno.readDirSync(join(ROOT, folder))).filter(({ isFile }) => isFile)
      .map(({ name }) => `${folder}/${name}`).sort()
  ),
];

const TOOLS = new Deno.Command("bash", {
  args: ["-c", "command -v age && command -v zstd && command -v sqlite3"],
});
const hasTools = (await TOOLS.output()).success;

/** The commands of all blocks marked `sh test`, in their order: later ones build on earlier ones. */
function commandsOf(text: string): string {
  return [...text.matchAll(/^```sh test\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join("");
}

/** The cells of the rows of the table with these headings; code marks are taken off. */
function tableOf(text: string, ...headings: string[]): string[][] {
  const lines = text.split("\n").map((line) =>
    line.startsWith("|") ? line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")) : []
  );
  const start = lines.findIndex((cells) => cells.join() === headings.join());
  assert.notEqual(start, -1, `there is no table ${headings}`);
  const rows = lines.slice(start + 2);
  return rows.slice(0, rows.findIndex((cells) => cells.length === 0));
}

/** As GitHub makes anchors: small letters, spaces as hyphens, without punctuation. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^a-z0-9 _-]/g, "").replaceAll(" ", "-")
  );
}

for (const document of DOCUMENTS) {
  const text = await Deno.readTextFile(join(ROOT, document));
  const commands = commandsOf(text);

  Deno.test({
    name: `the commands in ${document} do what it says`,
    ignore: commands === "" || !hasTools,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "cairn-docs-" });
      try {
        const cairn = join(folder, "bin", "cairn");
        await Deno.mkdir(dirname(cairn));
        const words = [Deno.execPath(), "run", "-A", "--quiet", "--no-check", join(ROOT, "main.ts")];
        await Deno.writeTextFile(
          cairn,
          `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(" ")} "$@"\n`,
        );
        await Deno.chmod(cairn, 0o700);
        await Deno.mkdir(join(folder, "work"));
        const { success, stdout, stderr } = await new Deno.Command("bash", {
          args: ["-euxo", "pipefail", "-c", commands],
          cwd: join(folder, "work"),
          env: {
            PATH: `${dirname(cairn)}:${Deno.env.get("PATH")}`,
            CAIRN_HOME: join(folder, "state"),
            XDG_CONFIG_HOME: join(folder, "config"),
            CAIRN_CONFIG: "",
          },
          stdin: "null",
        }).output();
        const decoder = new TextDecoder();
        assert.ok(success, `${decoder.decode(stdout)}\n${decoder.decode(stderr)}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });

  Deno.test(`the links in ${document} lead somewhere`, async () => {
    for (const [, link = ""] of text.matchAll(/\]\((?!https?:)([^)]*)\)/g)) {
      const [file = "", anchor] = link.split("#");
      const path = file === "" ? join(ROOT, document) : join(ROOT, dirname(document), file);
      const target = await Deno.readTextFile(path).catch(() => undefined);
      assert.ok(target !== undefined, `${document} links to ${link}, which is not there`);
      if (anchor !== undefined) assert.ok(anchorsOf(target).includes(anchor), `no heading for ${link}`);
    }
  });
}

Deno.test("the tables of codes in docs/scripting.md are those of errors.ts", async () => {
  const text = await Deno.readTextFile(join(ROOT, "docs/scripting.md"));
  const told = tableOf(text, "code", "exit", "retried", "meaning").map((row) => row.slice(0, 3)).sort();
  const meant = Object.entries(ERROR_CODES)
    .map(([code, { exit, passing }]) => [code, String(exit), passing ? "yes" : "no"]).sort();
  assert.deepEqual(told, meant);
  const exits = new Set(["0", ...Object.values(ERROR_CODES).map(({ exit }) => String(exit))]);
  assert.deepEqual(new Set(tableOf(text, "code", "meaning").map(([code]) => code)), exits);
});
