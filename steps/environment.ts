/** What the workflows need from the world around them, in one place, so that tests can stand in for parts of it. */
import type { Adapter } from "../adapters/adapter.ts";
import { adapterFor } from "../adapters/registry.ts";
import { CairnError } from "../errors.ts";
import { openStore } from "../storage/registry.ts";
import { publishNew, syncFolder, writeDurable } from "../streams/durable.ts";
import type { Store } from "../storage/storage.ts";
import type { Ask } from "./secret.ts";

/** A dump that gives nothing for so long while Cairn is reading is ended. */
const STALL_MILLISECONDS = 10 * 60_000;
/** A server that has just ended a connection gets a moment. */
const TAKE_PAUSE_MILLISECONDS = 5_000;

/** The surroundings of a run. */
export interface Environment {
  /** The state folder (`$CAIRN_HOME`). */
  readonly home: string;
  /** The program's version, for manifests. */
  readonly version: string;
  /** The adapter of an engine. */
  adapter(engine: string): Adapter;
  /** Opens the store at a URL. */
  openStore(url: string): Promise<Store>;
  /** The clock, in milliseconds since 1970. */
  now(): number;
  /** Asks a person for a secret. */
  readonly ask: Ask;
  /** How long a dump may give no byte while Cairn is reading, in milliseconds. */
  readonly stallMilliseconds: number;
  /** How long to wait before a dump that failed is taken again, in milliseconds. */
  readonly takePauseMilliseconds: number;
}

/** The scratch folder of a run: snapshots, sealed parts of remote stores, decoded databases. */
export function spoolFolder(environment: Environment, run: string): string {
  return `${environment.home}/spool/${run}`;
}

/** The folder in which the parts of a run are made: inside a local store, so that nothing is copied, else in the spool. */
export function sealFolder(environment: Environment, store: Store, run: string): string {
  const staging = store.capabilities.staging;
  return staging === undefined ? `${spoolFolder(environment, run)}/parts` : `${staging}/${run}`;
}

/**
 * What tells the artifacts of this installation from those of another that writes to the same store. It is made at the first
 * call, by way of the folder `scratch`, in which a kill may leave it.
 */
export async function originOf(environment: Environment, scratch: string): Promise<string> {
  const file = `${environment.home}/origin`;
  try {
    return (await Deno.readTextFile(file)).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const fresh = new TextEncoder().encode(`${crypto.randomUUID()}\n`);
  const made = `${scratch}/origin`;
  await writeDurable(made, fresh, { create: false });
  await publishNew(made, file).catch((error) => {
    if (!(error instanceof CairnError && error.code === "exists")) throw error; // another process was first
  });
  await syncFolder(environment.home);
  return (await Deno.readTextFile(file)).trim();
}

/** The real surroundings; `patienceMilliseconds` says how long to wait for locks of others, if not as long as is usual. */
export function makeEnvironment(
  { patienceMilliseconds, ...options }: Pick<Environment, "home" | "version" | "ask"> & {
    readonly patienceMilliseconds?: number | undefined;
  },
): Environment {
  return {
    ...options,
    adapter: (engine) => adapterFor(engine, patienceMilliseconds),
    openStore,
    now: Date.now,
    stallMilliseconds: STALL_MILLISECONDS,
    takePauseMilliseconds: TAKE_PAUSE_MILLISECONDS,
  };
}
