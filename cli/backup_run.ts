/** What `cairn backup` does: the job, the unfinished backup that may stand in the way, the run, and its result. */
import { resolve } from "node:path";
import { CairnError } from "../errors.ts";
import { makeId } from "../steps/artifact.ts";
import { checkLevel } from "../steps/backup/compress.ts";
import type { BackupResult } from "../steps/backup/record.ts";
import type { BackupJob, Encryption } from "../steps/job.ts";
import { checkRecipients, unprovenRecipients } from "../steps/key.ts";
import { backupLocks } from "../steps/locks.ts";
import { settleBackups, type Settled } from "../steps/settle.ts";
import { chooseDatabase, type ChosenDatabase, storeToWrite } from "./choose.ts";
import { executeRun } from "./execute.ts";
import { formatBytes, formatDuration, formatPercent } from "./format.ts";
import type { Output } from "./output.ts";
import type { Session } from "./session.ts";
import { openWorkplace, type Workplace } from "./workplace.ts";

/** The options of the command. */
export interface BackupOptions {
  readonly to?: readonly string[];
  readonly compress?: "zstd" | "gzip" | "none";
  readonly level?: number;
  readonly encryptTo?: readonly string[];
  readonly passphraseFile?: string;
  readonly label?: string;
  readonly tables?: readonly string[];
  readonly excludeTables?: readonly string[];
}

/** Backs up one database. */
export async function backup(session: Session, database: string, options: BackupOptions): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { config, engine, workflows } = workplace;
  const chosen = await chooseDatabase(config, database, options.label, session.output);
  const job = makeJob(workplace, chosen, options);
  const { output } = session;
  await requireStore(workplace, job.store, session.signal);

  const locks = backupLocks(job);
  await settleBackups(engine, locks, (settled) => tellSettled(output, settled));

  const id = makeId(Date.now());
  const run = `backup-${id}`;
  await engine.create(workflows.backup, job, { id: run, label: job.label, locks, reserve: true });
  output.line(`backup ${id} · ${job.label} ← ${job.source.url}`);
  const started = performance.now();
  const result = await executeRun(session, workplace, run, { isNew: true });
  showBackup(session, run, backupResult(result), performance.now() - started);
  if (job.encryption.mode === "recipients") {
    const unproven = await unprovenRecipients(session.home, job.encryption.recipients);
    if (unproven.length > 0) {
      output.warn(
        `no key was ever proven to open this backup: run \`cairn key check --identity FILE\` where the key of ` +
          `${(unproven[0] ?? "").slice(0, 20)}… is`,
      );
    }
  }
  if (job.encryption.mode === "none") {
    output.line();
    output.line(`not encrypted: ${output.style.bold("cairn init")} makes a key and a config file`);
  }
}

/** A store that cannot be one is refused before there is a run. */
async function requireStore({ environment }: Workplace, url: string, signal: AbortSignal): Promise<void> {
  const store = await environment.openStore(url);
  try {
    await store.list("", { signal, limit: 1 });
  } finally {
    await store.close();
  }
}

function tellSettled(output: Output, settled: Settled): void {
  const { run } = settled;
  if (settled.outcome === "left") {
    output.warn(`the unfinished backup ${run} stays as it is: ${settled.error.message}`);
  } else if (settled.outcome === "finished") {
    output.line(`finished the earlier backup ${run} first: its dump was complete`);
  } else {
    output.line(`abandoned the unfinished backup ${run}: its dump was not complete`);
  }
}

/** Tells what a finished backup made; also for a resumed one. */
export function showBackup(session: Session, run: string, result: BackupResult, milliseconds: number): void {
  const { output } = session;
  for (const warning of result.warnings) output.warn(warning);
  const share = formatPercent(result.storedBytes, result.sizeBytes);
  const place = `${result.store}/${result.label}`;
  output.line(
    `done in ${formatDuration(milliseconds)}: ${formatBytes(result.storedBytes)} in ${place} ` +
      `(${share} of ${formatBytes(result.sizeBytes)})`,
  );
  const into = result.engine === "postgres" ? "postgres://user@host/restored" : "restored.db";
  output.line(`restore it with: cairn restore ${result.id} --into ${into}`);
  const { id, label, type, store, manifest, sizeBytes, storedBytes, parts, codec, encryption, takes } =
    result;
  output.json({
    run,
    status: "done",
    artifact: { id, label, type, store, manifest, sizeBytes, storedBytes, parts, codec, encryption },
    takes,
    warnings: result.warnings,
  });
}

/** The journaled result of a backup run. */
export function backupResult(value: unknown): BackupResult {
  if (isBackupResult(value)) return value;
  throw new CairnError("state_damaged", "the journal has no result for this backup");
}

function isBackupResult(value: unknown): value is BackupResult {
  return typeof value === "object" && value !== null && "id" in value && "storedBytes" in value;
}

function makeJob({ config }: Workplace, chosen: ChosenDatabase, options: BackupOptions): BackupJob {
  const { address, config: database, label, labelOrigin } = chosen;
  const selection = {
    tables: options.tables ?? database?.tables ?? [],
    excludeTables: options.excludeTables ?? database?.excludeTables ?? [],
  };
  if (selection.tables.length + selection.excludeTables.length > 0 && labelOrigin === "derived") {
    throw new CairnError("refused", "a backup of some tables needs a label of its own", {
      hint: `so that nobody takes it for a whole backup: for example --label ${label}-selection`,
    });
  }
  const codec = options.compress ?? database?.compression ?? config.compression ?? "zstd";
  const level = options.level ?? (options.compress ? undefined : database?.level ?? config.level);
  return {
    label,
    labelOrigin,
    source: address,
    store: storeToWrite(config, options.to ?? [], database),
    codec,
    level: checkLevel(codec, level),
    encryption: chooseEncryption(options, database?.passphrase, database?.encryptTo ?? config.encryptTo),
    selection,
    partBytes: partBytesForTests(),
  };
}

function chooseEncryption(
  options: BackupOptions,
  passphrase: (Encryption & { mode: "passphrase" })["passphrase"] | undefined,
  configured: readonly string[],
): Encryption {
  if (options.passphraseFile !== undefined && options.encryptTo !== undefined) {
    throw new CairnError("usage", "give either --encrypt-to or --passphrase-file", {
      hint: "leave one of them out",
    });
  }
  if (options.passphraseFile !== undefined) {
    return { mode: "passphrase", passphrase: { file: resolve(options.passphraseFile) } };
  }
  if (options.encryptTo === undefined && passphrase !== undefined) return { mode: "passphrase", passphrase };
  const recipients = options.encryptTo ?? configured;
  checkRecipients(recipients);
  return recipients.length === 0 ? { mode: "none" } : { mode: "recipients", recipients };
}

/** Tests make many parts out of small databases. */
function partBytesForTests(): number | null {
  const bytes = Number(Deno.env.get("CAIRN_PART_BYTES"));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}
