/** What `cairn verify` does. */
import { CairnError } from "../errors.ts";
import { makeId } from "../steps/artifact.ts";
import { replaceVerifies } from "../steps/settle.ts";
import { findIn } from "../steps/find_in.ts";
import type { VerifyJob } from "../steps/job.ts";
import type { VerifyResult } from "../steps/verify.ts";
import { storesToRead } from "./choose.ts";
import { executeRun } from "./execute.ts";
import { formatBytes, formatCount, formatDuration } from "./format.ts";
import { chooseKeys, type KeyOptions } from "./keys.ts";
import type { Session } from "./session.ts";
import { openWorkplace } from "./workplace.ts";

/** The options of the command. */
export interface VerifyOptions extends KeyOptions {
  readonly readData?: true;
  readonly from?: string;
}

/** Verifies one artifact. */
export async function verify(session: Session, artifact: string, options: VerifyOptions): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { config, environment, engine, workflows } = workplace;
  const found = await findIn(environment, artifact, await storesToRead(config, options.from, session.home));
  const job: VerifyJob = {
    store: found.store,
    manifest: found.manifest,
    readData: options.readData ?? false,
    ...await chooseKeys(session, options),
  };
  await replaceVerifies(engine, job);
  const run = `verify-${makeId(Date.now())}`;
  await engine.create(workflows.verify, job, { id: run, label: found.label, locks: [], reserve: true });
  session.output.line(`verify ${found.id} · ${found.label} in ${found.store}`);
  const started = performance.now();
  const result = verifyResult(await executeRun(session, workplace, run, { isNew: true }));
  showVerify(session, run, result, performance.now() - started);
}

/** Tells what was proven; also for a resumed verify. */
export function showVerify(session: Session, run: string, result: VerifyResult, milliseconds: number): void {
  const { output } = session;
  const stored = `${formatCount(result.parts, "part")} with ${
    formatBytes(result.storedBytes)
  } as the manifest says`;
  const plain = result.plainBytes === null
    ? ""
    : `, decoded to ${formatBytes(result.plainBytes)} with the right checksum`;
  output.line(`verified in ${formatDuration(milliseconds)}: ${stored}${plain}`);
  const { id, label, parts, storedBytes, plainBytes } = result;
  output.json({ run, status: "done", verified: { id, label, parts, storedBytes, plainBytes } });
}

/** The journaled result of a verify run. */
export function verifyResult(value: unknown): VerifyResult {
  if (isVerifyResult(value)) return value;
  throw new CairnError("state_damaged", "the journal has no result for this verify");
}

function isVerifyResult(value: unknown): value is VerifyResult {
  return typeof value === "object" && value !== null && "plainBytes" in value && "parts" in value;
}
