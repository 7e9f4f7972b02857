/**
 * The dump stage: one stream out of the database, cut into sealed parts, each journaled when it is on the disk.
 *
 * A frozen snapshot goes on at any part after a crash. A live dump dies with its connection: its *take* ends, its parts are
 * removed, and the next take begins with an artifact id of its own, so that no object name ever gets two contents.
 */
import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import type { Dump, DumpFacts } from "../../adapters/adapter.ts";
import { type Attempt, type Context, NO_RETRY } from "../../engine/workflow.ts";
import { CairnError, toCairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { makePrivateFolder } from "../../streams/durable.ts";
import type { Pool } from "../../streams/pool.ts";
import {
  partName,
  type PartSealer,
  type SealedPart,
  sealParts,
  type SealSettings,
} from "../../streams/seal_parts.ts";
import { accessTo } from "../access.ts";
import { type Environment, sealFolder } from "../environment.ts";
import type { BackupJob } from "../job.ts";
import type { Prepared } from "./snapshot.ts";
import { requireTake, type Take } from "./take.ts";

/** A sealed part as the journal keeps it. */
export type PartFacts = Omit<SealedPart, "file">;

/** How a take ended: complete, or lost with its connection. */
export type TakeEnd =
  | { readonly lost: string; readonly passing: boolean }
  | {
    readonly lost: null;
    readonly parts: number;
    readonly plainBytes: number;
    readonly plainSha256: string;
  }
    & DumpFacts;

/** What a dump works with. */
export interface DumpTools {
  readonly environment: Environment;
  readonly job: BackupJob;
  readonly prepared: Prepared;
  readonly store: Store;
  readonly settings: SealSettings;
  readonly pool: Pool;
}

/** The names of parts have six digits, so that a shell's pattern finds them all in order. */
const MOST_PARTS = 999_999;

/** Where the part `number` of a take lies until it is uploaded. */
export function partFile(tools: DumpTools, context: Context, take: Take, number: number): string {
  const { environment, store, job, settings } = tools;
  const folder = `${sealFolder(environment, store, context.id)}/${take.number}`;
  return `${folder}/${partName(number, job.codec, settings.recipients.length > 0)}`;
}

/** The journaled facts of a part that a finished take has. */
async function finishedPart(context: Context, take: Take, number: number): Promise<PartFacts> {
  return await context.step(`seal/${take.number}/${number}`, () => {
    throw new CairnError("internal", `part ${number} of take ${take.number} is not in the journal`);
  }, NO_RETRY);
}

/**
 * Dumps once, and tells how it ended. `onPart` is awaited for every part in order, also for those that an earlier process
 * finished.
 */
export async function dumpTake(
  context: Context,
  tools: DumpTools,
  take: Take,
  onPart: (part: PartFacts) => Promise<void>,
): Promise<TakeEnd> {
  const { frozen } = tools.prepared.snapshot;
  let isHere = false;
  const end = await context.step(`dump/${take.number}`, async (attempt): Promise<TakeEnd> => {
    isHere = true;
    if (!frozen && take.generation !== context.generation) {
      return { lost: "the dump was cut off: it ended with the process that took it", passing: true };
    }
    await using source = openSource(context, tools, take, attempt);
    try {
      return await sealAll(context, take, source, onPart, frozen);
    } catch (error) {
      if (frozen || context.signal.aborted) throw error;
      const { message, passing } = toCairnError(error);
      return { lost: message, passing };
    }
  }, NO_RETRY); // what can pass is tried again part by part
  if (!isHere && end.lost === null) {
    for (let number = 1; number <= end.parts; number++) {
      await onPart(await finishedPart(context, take, number));
    }
  }
  return end;
}

async function sealAll(
  context: Context,
  take: Take,
  source: Source,
  onPart: (part: PartFacts) => Promise<void>,
  frozen: boolean,
): Promise<TakeEnd> {
  let before: PartFacts | undefined;
  for (let number = 1;; number++) {
    if (number > MOST_PARTS) throw tooManyParts();
    const part: PartFacts = await context.step(
      `seal/${take.number}/${number}`,
      async (attempt) => {
        const part = await source.next(number, before);
        attempt.progress(part.storedBytes, part.storedBytes);
        return part;
      },
      frozen ? undefined : NO_RETRY,
    );
    // A live dump's last part is worth nothing before its processes have ended well.
    const ended = part.last ? await source.end(part) : undefined;
    await onPart(part);
    before = part;
    if (ended) {
      const { plainSha256 } = part;
      return { lost: null, parts: number, plainBytes: endOf(part), plainSha256, ...ended };
    }
  }
}

function tooManyParts(): CairnError {
  return new CairnError("refused", `the dump needs more than ${MOST_PARTS} parts`, {
    hint: "please report this: parts have to be larger for databases of this size",
  });
}

/** Where the plaintext of a part ends in the whole. */
function endOf(part: PartFacts | undefined): number {
  return part === undefined ? 0 : part.plainOffset + part.plainBytes;
}

/** The stream of a take while this process reads it. */
interface Source extends AsyncDisposable {
  /** Seals the next part; after a failure of a frozen source it begins anew behind the part `before`. */
  next(number: number, before: PartFacts | undefined): Promise<PartFacts>;
  /** Waits until the dump has ended well. */
  end(last: PartFacts): Promise<DumpFacts>;
}

function openSource(context: Context, tools: DumpTools, take: Take, attempt: Attempt): Source {
  const { environment, job, prepared: { snapshot }, settings, pool } = tools;
  let open: { readonly dump: Dump; readonly sealer: PartSealer } | undefined;

  const begin = async (number: number, before: PartFacts | undefined) => {
    const offset = endOf(before);
    const plainHash = await hashUpTo(before, snapshot.file, attempt.signal);
    const file = partFile(tools, context, take, number);
    const folder = file.slice(0, file.lastIndexOf("/"));
    const { staging } = tools.store.capabilities;
    await requireTake(tools.store, take.keys, attempt.signal);
    await makePrivateFolder(folder, staging === undefined ? environment.home : dirname(staging));
    const access = await accessTo(environment, job.source);
    const dump = environment.adapter(job.source.engine)
      .dump(access, snapshot, { offset, selection: job.selection, signal: attempt.signal });
    // Looked at in `end`; a failure before that reaches the sealer through the stream.
    dump.finished.catch(() => {});
    let plainBytes = offset;
    const sealer = sealParts(dump.stream, {
      folder,
      firstNumber: number,
      plainOffset: offset,
      settings,
      pool,
      plainHash,
      signal: attempt.signal,
      stallMilliseconds: environment.stallMilliseconds,
      onPlain: (bytes) => attempt.progress(plainBytes += bytes, snapshot.plainBytes),
    });
    return { dump, sealer };
  };

  return {
    async next(number, before) {
      open ??= await begin(number, before);
      try {
        const part = await open.sealer.next();
        if (part === undefined) throw new CairnError("internal", "the dump has no further part");
        const { file: _, ...facts } = part;
        return facts;
      } catch (error) {
        const failed = open;
        open = undefined;
        await failed.sealer[Symbol.asyncDispose]();
        // When the store vanished that is what there is to say, not the file that was not found in it.
        if (!attempt.signal.aborted) await requireTake(tools.store, take.keys, attempt.signal);
        throw error;
      }
    },
    async end(last) {
      // An earlier process finished the last part: only a frozen source comes here, and reading it had ended well.
      if (open === undefined) return { warnings: [] };
      const facts = await open.dump.finished;
      if (endOf(last) === 0) throw new CairnError("tool_failed", "the dump is empty");
      return facts;
    },
    async [Symbol.asyncDispose]() {
      await open?.sealer[Symbol.asyncDispose]();
    },
  };
}

/**
 * A hash that has seen a frozen file up to the end of a part, as if it had been read from the start. Throws when the bytes are
 * not those that were sealed: going on would make a backup that no restore accepts.
 */
async function hashUpTo(
  part: PartFacts | undefined,
  file: string | undefined,
  signal: AbortSignal,
): Promise<Hash> {
  const hash = createHash("sha256");
  if (part === undefined) return hash;
  if (file === undefined) throw new CairnError("internal", "a live dump cannot go on in its middle");
  using source = await Deno.open(file);
  const buffer = new Uint8Array(2 ** 20);
  for (let left = endOf(part); left > 0;) {
    signal.throwIfAborted();
    const read = await source.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (read === null) throw new CairnError("io", `${file} is shorter than it was`, { passing: false });
    hash.update(buffer.subarray(0, read));
    left -= read;
  }
  if (hash.copy().digest("hex") === part.plainSha256) return hash;
  throw new CairnError("verification", `the copy of the database in ${file} is not what it was`, {
    hint: "its disk may be failing; begin anew with another `cairn backup`",
  });
}
