/** Asks a person at the terminal. Questions go to standard error, so that standard output stays clean. */
import { CairnError } from "../errors.ts";
import { registerSecret } from "./redact.ts";
import { canAsk } from "./terminal.ts";
import { write } from "./write.ts";

const ENTER = new Set(["\r", "\n"]);
const ERASE = new Set(["\x7f", "\b"]);
const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_U = "\x15";

const answers = new Map<string, string>();

/** Remembers the answer to a question for the life of this process, and has it masked in all output. */
export function answerBeforehand(question: string, secret: string): void {
  registerSecret(secret);
  answers.set(question, secret);
}

/**
 * Asks for a secret without showing what is typed, and has it masked in all output from now on. Undefined where
 * nobody can be asked; throws `interrupted` on Ctrl-C.
 */
export async function askSecret(question: string): Promise<string | undefined> {
  const known = answers.get(question);
  if (known !== undefined || !canAsk()) return known;
  write("stderr", question);
  Deno.stdin.setRaw(true);
  try {
    const secret = await readHidden();
    if (secret !== undefined) registerSecret(secret);
    return secret;
  } finally {
    Deno.stdin.setRaw(false);
    write("stderr", "\n");
  }
}

async function readHidden(): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let characters: string[] = [];
  while (true) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return undefined;
    for (const character of decoder.decode(buffer.subarray(0, count), { stream: true })) {
      if (ENTER.has(character)) return characters.join("");
      if (character === CTRL_C) throw new CairnError("interrupted", "stopped while a secret was asked for");
      if (character === CTRL_D && characters.length === 0) return undefined;
      if (ERASE.has(character)) characters.pop();
      else if (character === CTRL_U) characters = [];
      else if (character >= " ") characters.push(character);
    }
  }
}

/** Asks for a line; an empty answer is `fallback`. Undefined where nobody can be asked, or on Ctrl-D. */
export async function askLine(question: string, fallback = ""): Promise<string | undefined> {
  if (!canAsk()) return undefined;
  write("stderr", fallback === "" ? `${question} ` : `${question} [${fallback}] `);
  const buffer = new Uint8Array(4096);
  const count = await Deno.stdin.read(buffer);
  if (count === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, count)).trim() || fallback;
}

/** Asks yes or no; an empty answer is `fallback`. Undefined where nobody can be asked. */
export async function askYesNo(question: string, fallback: boolean): Promise<boolean | undefined> {
  const answer = await askLine(`${question} [${fallback ? "Y/n" : "y/N"}]`);
  if (answer === undefined) return undefined;
  return answer === "" ? fallback : /^y/i.test(answer);
}
