/** Reads the text of a configuration: YAML 1.2 (https://yaml.org/spec/1.2.2), checked, each error with its place. */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import * as v from "valibot";
import { CairnError } from "../errors.ts";
import { checkRules, type Problem } from "./checks.ts";
import { configSchema, type WrittenConfig } from "./schema.ts";
import { checkShape } from "./shape.ts";

/** A problem and the offset in the text at which to look. */
interface Placed extends Problem {
  readonly offset: number;
}

/** A checked configuration. */
export interface Parsed {
  readonly written: WrittenConfig;
  /** The names of the stores in the order of the file. */
  readonly storeNames: readonly string[];
}

/**
 * The checked content of `text`. `shown` is what the file is called in errors.
 *
 * Throws `config` for the first problem: `cairn.yaml:14:7: unknown key "compresion" in databases.shop`.
 */
export function parseConfig(text: string, shown: string): Parsed {
  const lines = new LineCounter();
  // Warnings would be printed by the library itself.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const fail = (problems: readonly Placed[]): never => {
    const [first, ...others] = problems.toSorted((left, right) => left.offset - right.offset);
    const { line, col } = lines.linePos(first?.offset ?? 0);
    throw new CairnError("config", `${shown}:${Math.max(1, line)}:${Math.max(1, col)}: ${first?.message}`, {
      hint: hintOf(first?.hint, others.length),
    });
  };

  if (document.errors.length > 0) {
    fail(document.errors.map(({ message, pos }) => ({ path: [], message: plain(message), offset: pos[0] })));
  }
  const placed = (problem: Problem): Placed => ({ ...problem, offset: offsetOf(document, problem) });
  const value = valueOf(document, fail);
  const misshapen = checkShape(value);
  if (misshapen.length > 0) fail(misshapen.map(placed));
  const result = v.safeParse(configSchema, value);
  if (!result.success) return fail(result.issues.map((issue) => placed(problemOf(issue))));
  const broken = checkRules(result.output);
  if (broken.length > 0) fail(broken.map((problem) => placed(withPlace(problem))));
  return { written: result.output, storeNames: keysOf(document.get("stores")) };
}

/** In the order of the file, which an object does not keep for names that are numbers. */
function keysOf(node: unknown): string[] {
  return isMap(node) ? node.items.map(({ key }) => String(isScalar(key) ? key.value : key)) : [];
}

/** The plain value; an empty file is an empty configuration. */
function valueOf(document: Document, fail: (problems: readonly Placed[]) => never): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    // An alias that leads nowhere, or so many of them that the content would fill the memory.
    const message = error instanceof Error ? plain(error.message) : "it cannot be read";
    return fail([{ path: [], message, offset: 0 }]);
  }
}

/** The library's words, without the pieces of the file that some of them quote, which may be a secret. */
function plain(message: string): string {
  const cut = message.replace(/: .*$/s, "").replace(/![^ ]+/g, "!…").replace(/\.$/, "");
  return cut.charAt(0).toLowerCase() + cut.slice(1);
}

function hintOf(hint: string | undefined, others: number): string {
  if (others === 0) return hint ?? "`cairn config schema` prints what may stand there";
  const more = others === 1 ? "one further problem follows" : `${others} further problems follow`;
  return hint === undefined ? more : `${hint}; ${more}`;
}

function problemOf(issue: v.InferIssue<typeof configSchema>): Problem {
  const items = issue.path ?? [];
  const path = items.map(({ key }) => typeof key === "number" ? key : String(key));
  const onKey = items.at(-1)?.origin === "key";
  const [message = "", hint] = issue.message.split("\n");
  const within = nameOf(path.slice(0, -1));
  const last = JSON.stringify(path.at(-1));
  if (onKey && issue.type === "strict_object") {
    return { path, onKey, message: `unknown key ${last}${within && ` in ${within}`}`, hint };
  }
  if (onKey) return { path, onKey, message: `the name ${last} in ${within} ${message}`, hint };
  return { path, message: `${nameOf(path) || "the file"} ${message}`, hint };
}

/** Rules speak of "it": the place says which. */
function withPlace(problem: Problem): Problem {
  const within = nameOf(problem.path.slice(0, 2));
  return {
    ...problem,
    message: problem.message.startsWith(within) ? problem.message : `${within}: ${problem.message}`,
  };
}

function nameOf(path: readonly (string | number)[]): string {
  return path.map((part, index) => typeof part === "number" ? `[${part}]` : `${index ? "." : ""}${part}`)
    .join("");
}

/** Where in the text the problem's place is; as near as its path leads. */
function offsetOf(document: Document, { path, onKey = false }: Problem): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
      const isLast = index === path.length - 1;
      offset = (isLast && onKey ? startOf(pair?.key) : startOf(pair?.value) ?? startOf(pair?.key)) ?? offset;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  const ranged: Partial<Pick<Node, "range">> | undefined = typeof node === "object" && node !== null
    ? node
    : undefined;
  return ranged?.range?.[0];
}
