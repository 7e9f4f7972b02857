/** Makes a loaded dump visible, and removes what a cancelled restore left. */
import { dirname } from "node:path";
import { CairnError } from "../../errors.ts";
import { publishNew, syncFolder } from "../../streams/durable.ts";
import type { Address, Loaded, LoadRequest } from "../adapter.ts";
import { pathOf } from "./address.ts";
import { callChild } from "./call.ts";
import {
  cannotWrite,
  COMPANIONS,
  type Identity,
  identityOf,
  removeFiles,
  removeIfThere,
  sameFile,
} from "./files.ts";
import { temporaryBeside, type Way } from "./load.ts";
import { selectsAll } from "../selection.ts";
import type { SqliteOptions } from "./options.ts";

/** See `Adapter.commit`. */
export async function commitLoad(
  address: Address,
  loaded: Loaded,
  request: LoadRequest,
  options: SqliteOptions,
): Promise<void> {
  const target = pathOf(address);
  const facts = readFacts(loaded);
  request.signal.throwIfAborted();
  if (facts.way === "publish") return await publish(facts.temporary, facts, target);
  const input = { source: facts.temporary, target, ...options };
  const call = { signal: request.signal, temporaryFolder: dirname(facts.temporary) };
  if (facts.way === "transplant") {
    await callChild("transplant", input, call);
  } else {
    // A selection replaces a database only when that was empty: tables that appeared since are not to be lost.
    const overwrite = request.overwrite && selectsAll(request.selection);
    await callChild("replace", { ...input, overwrite, journalMode: facts.journalMode }, call);
  }
}

/** See `Adapter.discard`. */
export async function discardLoad(address: Address, run: string): Promise<void> {
  const temporary = temporaryBeside(pathOf(address), run);
  await removeFiles([temporary, `${temporary}.all`]);
}

/**
 * Gives the file its name, never replacing another one. Each step leaves a state from which a repetition goes on:
 * not linked yet; linked, with the temporary name still there; only the target left.
 */
async function publish(temporary: string, loaded: Identity, target: string): Promise<void> {
  const folder = dirname(target);
  try {
    const there = await identityOf(target);
    if (there !== undefined && !sameFile(there, loaded)) throw taken(target);
    if (there === undefined) {
      await removeStale(target);
      await giveName(temporary, target);
    }
    await syncFolder(folder);
    if (await removeIfThere(temporary)) await syncFolder(folder);
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

/** A log or journal without its database belongs to one that is gone; SQLite would apply it to the new one. */
async function removeStale(target: string): Promise<void> {
  let removed = false;
  for (const suffix of COMPANIONS) removed = await removeIfThere(target + suffix) || removed;
  if (removed) await syncFolder(dirname(target));
}

async function giveName(temporary: string, target: string): Promise<void> {
  if (await identityOf(temporary) === undefined) {
    throw new CairnError("not_found", `the loaded file ${temporary} is gone`, {
      hint: "cancel this restore and start it again",
    });
  }
  try {
    await publishNew(temporary, target);
  } catch (error) {
    throw error instanceof CairnError && error.code === "exists" ? taken(target, error) : error;
  }
}

function taken(target: string, cause?: unknown): CairnError {
  return new CairnError("target_exists", `${target} was made by somebody while it was being restored`, {
    hint: "move it away and resume the restore, or cancel it and restore to another path",
    cause,
  });
}

type Facts = Identity & {
  readonly way: Way;
  readonly temporary: string;
  readonly journalMode: string;
};

/** The facts come out of the journal, so that they are checked. */
function readFacts({ facts }: Loaded): Facts {
  const { way, temporary, journalMode, device, inode, born } = facts;
  const known = way === "publish" || way === "replace" || way === "transplant";
  if (
    known && typeof temporary === "string" && typeof journalMode === "string" && typeof device === "string" &&
    typeof inode === "string" && typeof born === "string"
  ) {
    return { way, temporary, journalMode, device, inode, born };
  }
  throw new CairnError("internal", "the facts of a loaded SQLite dump are not as this version writes them");
}
