/** The help of every command is compared with `tests/golden/help`; `UPDATE_GOLDEN=1` writes it anew. */
import assert from "node:assert/strict";
import { buildProgram } from "../../cli/program.ts";

const FOLDER = new URL("../golden/help/", import.meta.url);

/** What this test needs of commander's commands. */
interface Node {
  readonly commands: readonly Node[];
  name(): string;
  outputHelp(): void;
  configureOutput(options: { writeOut: (text: string) => void; getOutHelpWidth: () => number }): unknown;
}

/** The help of a command and of all below it, by their names: `backup`, `runs list`. */
function* helpOf(node: Node, path: readonly string[]): Generator<readonly [string, string]> {
  let text = "";
  node.configureOutput({ writeOut: (more) => text += more, getOutHelpWidth: () => 100 });
  node.outputHelp();
  yield [path.join(" "), text];
  for (const child of node.commands.filter((child) => child.name() !== "complete")) {
    yield* helpOf(child, [...path, child.name()]);
  }
}

function allHelp(): Map<string, string> {
  const all = new Map<string, string>();
  const program = buildProgram("0.0.0");
  for (const [path, text] of helpOf(program, [])) {
    all.set(`${(path || "cairn").replaceAll(" ", "_")}.txt`, text);
  }
  return all;
}

Deno.test("the help of every command is the golden one", async () => {
  const all = allHelp();
  if (Deno.env.get("UPDATE_GOLDEN")) await writeGolden(all);
  const golden = new Map<string, string>();
  for await (const entry of Deno.readDir(FOLDER)) {
    golden.set(entry.name, await Deno.readTextFile(new URL(entry.name, FOLDER)));
  }
  assert.deepEqual([...all.keys()].sort(), [...golden.keys()].sort());
  for (const [name, text] of all) assert.equal(text, golden.get(name), name);
});

Deno.test("every command that does something has two or three examples, which begin with its name", () => {
  for (const [path, text] of helpOf(buildProgram("0.0.0"), [])) {
    if (text.includes("\nCommands:\n") || path === "") continue;
    const examples = text.split("\nExamples:\n")[1]?.trimEnd().split("\n") ?? [];
    assert.ok(examples.length >= 1 && examples.length <= 4, `${path} has ${examples.length} examples`);
    for (const example of examples) {
      assert.ok(example.includes(`cairn ${path}`), `${path}: ${example}`);
      assert.ok(example.length <= 110, `${path}: an example is ${example.length} wide`);
    }
  }
});

async function writeGolden(all: ReadonlyMap<string, string>): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  for await (const entry of Deno.readDir(FOLDER)) await Deno.remove(new URL(entry.name, FOLDER));
  for (const [name, text] of all) await Deno.writeTextFile(new URL(name, FOLDER), text);
}
