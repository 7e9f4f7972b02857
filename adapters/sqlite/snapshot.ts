/** The consistent copy of a database: the dump of an SQLite backup. */
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { CairnError } from "../../errors.ts";
import { syncFile, syncFolder } from "../../streams/durable.ts";
import { writeBehind } from "../../streams/write_behind.ts";
import type { Adapter, Address, Snapshot } from "../adapter.ts";
import { selectsAll } from "../selection.ts";
import { pathOf } from "./address.ts";
import { callChild } from "./call.ts";
import { removeFiles } from "./files.ts";
import type { SqliteOptions } from "./options.ts";

const COPY = "snapshot.db";
const SCRATCH = "snapshot.all.db";

/** See `Adapter.snapshot`: the copy is `snapshot.db` in the folder. */
export async function takeSnapshot(
  address: Address,
  request: Parameters<Adapter["snapshot"]>[1],
  options: SqliteOptions,
): Promise<Snapshot> {
  const source = pathOf(address);
  const folder = resolve(request.folder);
  const file = join(folder, COPY);
  const scratch = join(folder, SCRATCH);
  await removeFiles([file, scratch]);
  const behind = writeBehind(() => syncFile(file));
  try {
    const copied = await callChild("copy", {
      source,
      target: file,
      scratch,
      ...options,
      selection: request.selection,
    }, {
      signal: request.signal,
      temporaryFolder: folder,
      progress(done, total) {
        if (selectsAll(request.selection)) behind.grown(done); // else it is the scratch file that grows
        request.progress(done, total);
      },
    }).finally(() => behind.settle());
    await syncFile(file);
    await syncFolder(folder);
    request.signal.throwIfAborted();
    return {
      frozen: true,
      file,
      format: "sqlite",
      fingerprint: `sqlite:${hostname()}:${source}`,
      engineVersion: copied.engineVersion,
      plainBytes: (await Deno.stat(file)).size,
      tools: {},
      tables: copied.tables,
      warnings: copied.warnings,
    };
  } catch (error) {
    await removeFiles([file, scratch]);
    throw error;
  }
}

/** The frozen file of a snapshot. Throws `internal` for a snapshot of another adapter. */
export function frozenFile(snapshot: Snapshot): string {
  if (snapshot.file !== undefined) return snapshot.file;
  throw new CairnError("internal", "a snapshot of an SQLite database has a file");
}
