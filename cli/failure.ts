/** Tells what went wrong: the error, its values, its cause where that adds something, and what to do next. */
import type { CairnError } from "../errors.ts";
import type { Json } from "../engine/workflow.ts";
import { redact } from "./redact.ts";
import type { Style } from "./terminal.ts";
import { visible } from "./text.ts";

/** What is known beside the error. */
export interface FailureContext {
  /** The run that failed, when there is one. */
  readonly run?: string | undefined;
  /** True when `cairn resume` can go on with that run. */
  readonly isResumable: boolean;
}

/** Errors of files name their place (`cairn.yaml:14:7: …`), as compilers do: editors can jump to it. */
const PLACE = /^\S.*?:\d+:\d+: /;
const REPORT = "this is a defect of Cairn: run it again with --debug and report what it prints";

/**
 * The lines of a failure. Further lines of the message are its values and stand below it, indented; the stack is only
 * shown with `isDebug`. Where a run can go on, the last line is the command that does it.
 */
export function failureLines(
  error: CairnError,
  context: FailureContext,
  style: Style,
  isDebug = false,
): string[] {
  const [first = "", ...values] = clean(error.message).split("\n");
  const lines = [PLACE.test(first) ? visible(first) : `${style.red("error:")} ${visible(first)}`];
  for (const value of values) lines.push(PLACE.test(value) ? visible(value) : `  ${visible(value.trim())}`);
  const because = causeOf(error);
  if (because !== undefined) lines.push(`  because: ${visible(because)}`);
  const hint = error.hint ?? (error.code === "internal" && !isDebug ? REPORT : undefined);
  if (hint !== undefined) {
    const [start = "", ...rest] = clean(hint).split("\n");
    lines.push(`  ${/^did you mean /.test(start) ? "" : "hint: "}${visible(start)}`);
    for (const each of rest) lines.push(`  ${visible(each.trim())}`);
  }
  if (isDebug) lines.push(...stackOf(error).map((line) => style.dim(visible(line))));
  if (context.run !== undefined && context.isResumable) lines.push(`cairn resume ${context.run}`);
  return lines;
}

/** The last JSON line of a command that failed. */
export function failureJson(error: CairnError, context: FailureContext): { readonly [key: string]: Json } {
  const { code, message, hint } = error;
  return {
    status: "failed",
    resumable: context.run !== undefined && context.isResumable,
    ...(context.run === undefined ? {} : { run: context.run }),
    error: { code, message: clean(message), ...(hint === undefined ? {} : { hint: clean(hint) }) },
  };
}

/** The first cause that says more than the message does, in one line. */
function causeOf(error: CairnError): string | undefined {
  const seen = new Set<unknown>([error]);
  for (let cause = error.cause; cause !== undefined && !seen.has(cause); cause = nextCause(cause)) {
    seen.add(cause);
    const text = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : "";
    const line = clean(text).split("\n").find((each) => each.trim() !== "")?.trim();
    if (line !== undefined && !clean(error.message).includes(line)) return line;
  }
  return undefined;
}

/** Stack lines of the error and of each cause below it. */
function stackOf(error: CairnError): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let each: unknown = error; each instanceof Error && !seen.has(each); each = each.cause) {
    seen.add(each);
    const stack = clean(each.stack ?? `${each.name}: ${each.message}`).split("\n");
    lines.push(...stack.map((line, index) => index === 0 && seen.size > 1 ? `Caused by: ${line}` : line));
  }
  return lines;
}

function nextCause(cause: unknown): unknown {
  return cause instanceof Error ? cause.cause : undefined;
}

function clean(text: string): string {
  return redact(text).trimEnd();
}
