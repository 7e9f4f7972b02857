/** Fetches secrets at the moment they are needed. They are never journaled, logged or put into an error. */
import { CairnError } from "../errors.ts";
import type { SecretReference } from "./job.ts";

/** Asks a person for a secret; undefined where nobody can be asked. */
export type Ask = ((question: string) => Promise<string | undefined>) | undefined;

/** The secret behind a reference, without its trailing newline. Throws `key` or `config` when it cannot be had. */
export async function resolveSecret(reference: SecretReference, ask: Ask): Promise<string> {
  const secret = (await read(reference, ask)).replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new CairnError("config", `the secret from ${describe(reference)} is empty`, {
    hint: "put the secret there: an empty one protects nothing",
  });
}

async function read(reference: SecretReference, ask: Ask): Promise<string> {
  if ("env" in reference) {
    const value = Deno.env.get(reference.env);
    if (value !== undefined) return value;
    throw new CairnError("config", `the environment variable ${reference.env} is not set`, {
      hint: "set it, or say where else the secret is",
    });
  }
  if ("file" in reference) {
    try {
      return await Deno.readTextFile(reference.file);
    } catch (cause) {
      throw new CairnError("config", `the secret file ${reference.file} cannot be read`, {
        cause,
        hint: "check its path and mode, then run it again",
      });
    }
  }
  if ("command" in reference) return await runCommand(reference.command);
  const answer = await ask?.(reference.ask);
  if (answer !== undefined) return answer;
  throw new CairnError("key", "a secret has to be typed in, and nobody can be asked", {
    hint: "resume the run at a terminal, or name a file with the secret",
    passing: false,
  });
}

async function runCommand([program = "", ...args]: readonly string[]): Promise<string> {
  try {
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" });
    const { success, code, stdout } = await child.output();
    if (success) return new TextDecoder().decode(stdout);
    throw new CairnError("config", `the secret command ${program} ended with status ${code}`, {
      hint: "run it by hand to see why",
    });
  } catch (cause) {
    if (cause instanceof CairnError) throw cause;
    throw new CairnError("config", `the secret command ${program} cannot be run`, {
      cause,
      hint: "check that it is installed and on the PATH",
    });
  }
}

function describe(reference: SecretReference): string {
  if ("env" in reference) return `the environment variable ${reference.env}`;
  if ("file" in reference) return reference.file;
  return "command" in reference ? `the command ${reference.command[0]}` : "the prompt";
}
