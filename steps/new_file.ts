/** Files that people keep: written once, durably, and never over another one. */
import { dirname, resolve } from "node:path";
import { CairnError } from "../errors.ts";
import { makePrivateFolder, writeDurable } from "../streams/durable.ts";

/**
 * Writes a text file (0600, missing folders 0700) and returns its absolute path. Throws `target_exists` when the name
 * is taken; `what` says what the file is, `hint` what to do then.
 */
export async function createTextFile(
  path: string,
  text: string,
  what: string,
  hint: string,
): Promise<string> {
  const file = resolve(path);
  await makePrivateFolder(dirname(file));
  try {
    await writeDurable(file, new TextEncoder().encode(text), { create: true });
  } catch (cause) {
    if (!(cause instanceof CairnError) || cause.code !== "exists") throw cause;
    throw nameTaken(file, what, hint);
  }
  return file;
}

/** Throws `target_exists` when a name is taken already: to say so before anything is asked or made. */
export async function requireFree(path: string, what: string, hint: string): Promise<void> {
  const file = resolve(path);
  const isTaken = await Deno.lstat(file).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  if (isTaken) throw nameTaken(file, what, hint);
}

function nameTaken(file: string, what: string, hint: string): CairnError {
  return new CairnError(
    "target_exists",
    `there is a file ${file} already, and ${what} is never overwritten`,
    {
      hint,
    },
  );
}
