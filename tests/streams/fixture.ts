/** What the tests of `streams/` share: folders, content, sealing and opening with few words. */
import { createHash } from "node:crypto";
import { CairnError } from "../../errors.ts";
import { openParts, type StoredPart } from "../../streams/open_parts.ts";
import { createPool, type Pool } from "../../streams/pool.ts";
import { type SealedPart, type SealOptions, sealParts, type SealSettings } from "../../streams/seal_parts.ts";

export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "cairn-streams-" });
  try {
    return await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the action with a folder and a pool of two workers. */
export function inPipeline<T>(action: (folder: string, pool: Pool) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    await using pool = createPool({ workers: 2 });
    return await action(folder, pool);
  });
}

/** Bytes that compress about as well as a database: rows with a counter, repeated words and some noise. */
export function content(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = seed * 2654435761 >>> 0 || 1;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = at % 40 < 28 ? 97 + (at % 40) % 23 : state & 0xff;
  }
  return bytes;
}

/** A byte stream that gives pieces of the sizes given, over and over, and counts what was taken. */
export function byteSource(
  bytes: Uint8Array<ArrayBuffer>,
  sizes: readonly number[] = [50_000],
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const end = Math.min(bytes.length, at + (sizes[turn++ % sizes.length] ?? 1));
      if (end > at) controller.enqueue(bytes.slice(at, end));
      at = end;
      if (at < bytes.length) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

/** The same without bring-your-own-buffer reading. */
export function chunkSource(
  bytes: Uint8Array<ArrayBuffer>,
  size = 50_000,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  }, { highWaterMark: 0 });
}

export const SMALL: SealSettings = {
  codec: "zstd",
  level: 3,
  blockBytes: 16 << 10,
  partBytes: 64 << 10,
  recipients: [],
};

export function sealOptions(
  folder: string,
  pool: Pool,
  settings: Partial<SealSettings> = {},
  more: Partial<SealOptions> = {},
): SealOptions {
  return {
    folder,
    pool,
    settings: { ...SMALL, ...settings },
    firstNumber: 1,
    plainOffset: 0,
    plainHash: createHash("sha256"),
    signal: new AbortController().signal,
    ...more,
  };
}

/** Seals everything and gives all parts. */
export async function sealAll(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: SealOptions,
): Promise<SealedPart[]> {
  await using sealer = sealParts(source, options);
  const parts: SealedPart[] = [];
  for (let part = await sealer.next(); part; part = await sealer.next()) parts.push(part);
  return parts;
}

/** What a manifest says of sealed parts. */
export function stored(parts: readonly SealedPart[]): StoredPart[] {
  return parts.map(({ file, plainBytes, storedBytes, sha256 }) => ({
    name: file.slice(file.lastIndexOf("/") + 1),
    plainBytes,
    storedBytes,
    sha256,
  }));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Opens parts that are held in memory. */
export function openHeld(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  parts: readonly StoredPart[],
  pool: Pool,
  more: Partial<Parameters<typeof openParts>[1]> = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return openParts(parts, {
    open(part) {
      const bytes = files.get(part.name);
      return bytes
        ? Promise.resolve(byteSource(bytes))
        : Promise.reject(new CairnError("not_found", `${part.name} is not there`));
    },
    codec: SMALL.codec,
    identities: [],
    plainBytes: parts.reduce((sum, part) => sum + part.plainBytes, 0),
    pool,
    signal: new AbortController().signal,
    ...more,
  });
}

export async function readFiles(
  folder: string,
  parts: readonly StoredPart[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const part of parts) files.set(part.name, await Deno.readFile(`${folder}/${part.name}`));
  return files;
}

export async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Runs a shell script with stock tools; gives its standard output, or throws with its standard error. */
export async function shell(
  script: string,
  folder: string,
  input?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("bash", {
    args: ["-c", `set -e -o pipefail; ${script}`],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feeding = new Response(input ?? new Uint8Array()).body?.pipeTo(child.stdin).catch(() => {});
  const output = await child.output();
  await feeding;
  if (output.success) return output.stdout;
  throw new Error(new TextDecoder().decode(output.stderr));
}

/** The error with which something rejects. */
export async function failure(work: Promise<unknown>): Promise<CairnError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CairnError) return error;
    throw error;
  }
  throw new Error("it should have failed");
}
