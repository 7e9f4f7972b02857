/** Receives a dump into a temporary file, and checks it, without touching the target. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { CairnError } from "../../errors.ts";
import { freeBytes } from "../../streams/collect.ts";
import { syncFile, syncFolder, writeAll } from "../../streams/durable.ts";
import { writeBehind } from "../../streams/write_behind.ts";
import type { Address, Loaded, LoadRequest, Selection } from "../adapter.ts";
import { selectsAll } from "../selection.ts";
import { pathOf } from "./address.ts";
import { callChild } from "./call.ts";
import { cannotWrite, identityOf, removeFiles } from "./files.ts";
import type { Found } from "./messages.ts";
import type { SqliteOptions } from "./options.ts";
import { contentOf, findTarget, isEmpty } from "./ping.ts";

/** How a loaded dump becomes visible. */
export type Way = "publish" | "replace" | "transplant";

const SCRATCH_NAME = "load.db";

/** See `Adapter.load`. A new database is made beside its place; for an existing one the dump stays in the scratch folder. */
export async function loadDump(
  address: Address,
  format: string,
  plain: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: LoadRequest,
  options: SqliteOptions,
): Promise<Loaded> {
  const target = pathOf(address);
  try {
    if (format !== "sqlite") {
      throw new CairnError("refused", `a dump of format "${format}" cannot be loaded into an SQLite file`, {
        hint: "write the dump to a file with `cairn export`, and load it with the tools of its engine",
      });
    }
    const found = await findTarget(target, request.signal, options);
    checkTarget(found, target, request.overwrite);
    return await receive(target, found, plain, request);
  } catch (error) {
    await plain.cancel(error).catch(() => {});
    throw error;
  }
}

/** The temporary file of a run beside a target that does not exist yet. */
export function temporaryBeside(target: string, run: string): string {
  const name = `.${basename(target).slice(0, 40)}.cairn-${
    run.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 60)
  }`;
  // The cut and the replacing may make two runs alike: the hash keeps them apart.
  const hash = createHash("sha256").update(`${run}\0${basename(target)}`).digest("hex").slice(0, 8);
  return join(dirname(target), `${name}-${hash}`);
}

function checkTarget(found: Found, target: string, overwrite: boolean): void {
  if (found.kind === "other") {
    throw new CairnError("refused", `${target} is a file that is no SQLite database`, {
      hint: "move it away, or restore to another path",
    });
  }
  if (found.kind === "database" && !isEmpty(found) && !overwrite) {
    throw new CairnError("target_exists", `the database ${target} has ${contentOf(found)}`, {
      hint: "restore beside it with --into, or say --overwrite",
    });
  }
}

async function receive(
  target: string,
  found: Found,
  plain: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: LoadRequest,
): Promise<Loaded> {
  const isNew = found.kind === "missing";
  const temporary = isNew ? temporaryBeside(target, request.run) : join(request.scratch, SCRATCH_NAME);
  const scratch = `${temporary}.all`;
  await removeFiles([temporary, scratch]);
  try {
    await writeStream(plain, temporary, request.signal);
    const tables = await settle(temporary, scratch, request);
    await syncFolder(dirname(temporary));
    const identity = await identityOf(temporary);
    if (identity === undefined) throw new CairnError("io", `${temporary} was removed by somebody`);
    const journalMode = found.kind === "database" ? found.journalMode : "";
    return { tables, facts: { way: wayInto(found, request.selection), temporary, journalMode, ...identity } };
  } catch (error) {
    await removeFiles([temporary, scratch]);
    throw cannotWrite(dirname(temporary), error);
  }
}

/** Checks the file, reduces it to the selection, and makes its content durable. */
async function settle(path: string, scratch: string, request: LoadRequest): Promise<Loaded["tables"]> {
  const { selection, signal } = request;
  const settled = callChild("settle", { path, scratch, selection }, {
    signal,
    temporaryFolder: dirname(path),
  });
  if (!selectsAll(selection)) {
    const { tables } = await settled; // in a new file of the same name
    await syncFile(path);
    return tables;
  }
  // A check only reads, and reads what is written whether it is on the disk yet or not.
  const [checked, synced] = await Promise.allSettled([settled, syncFile(path)]);
  if (checked.status === "rejected") throw checked.reason;
  if (synced.status === "rejected") throw synced.reason;
  return checked.value.tables;
}

/** A new file is published; a database is replaced as a whole, unless a selection has to spare its other tables. */
function wayInto(found: Found, selection: Selection): Way {
  if (found.kind !== "database") return "publish";
  return selectsAll(selection) || isEmpty(found) ? "replace" : "transplant";
}

async function writeStream(
  plain: ReadableStream<Uint8Array<ArrayBuffer>>,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const behind = writeBehind(() => file.syncData());
  let written = 0;
  const target = new WritableStream<Uint8Array<ArrayBuffer>>({
    async write(bytes) {
      await writeAll(file, bytes);
      behind.grown(written += bytes.length);
      freeBytes(bytes);
    },
  });
  try {
    await plain.pipeTo(target, { signal });
  } finally {
    await behind.settle();
  }
}
