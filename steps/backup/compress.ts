/** The compress stage: which codec and which sizes; the work itself is done block by block in `streams/`. */
import { CairnError } from "../../errors.ts";
import type { Codec } from "../../streams/codec.ts";
import type { SealSettings } from "../../streams/seal_parts.ts";
import type { BackupJob } from "../job.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** The levels that each codec knows, and the one that is taken unasked. */
const LEVELS: Record<Codec, { readonly least: number; readonly most: number; readonly usual: number }> = {
  zstd: { least: 1, most: 19, usual: 3 },
  gzip: { least: 1, most: 9, usual: 6 },
  none: { least: 0, most: 0, usual: 0 },
};

/** The level to compress with: the one asked for, or the usual one. Throws `usage` when the codec has no such level. */
export function checkLevel(codec: Codec, level: number | undefined): number {
  const { least, most, usual } = LEVELS[codec];
  if (level === undefined) return usual;
  if (Number.isInteger(level) && level >= least && level <= most) return level;
  throw new CairnError("usage", `${codec} has no level ${level}`, {
    hint: codec === "none" ? "leave --level out" : `its levels are ${least} to ${most}`,
  });
}

/** How large blocks and parts are: parts grow with the database, so that their number stays small. */
export function sealSettings(
  job: BackupJob,
  plainBytes: number,
  recipients: readonly string[],
): SealSettings {
  const partBytes = job.partBytes ?? (plainBytes > 64 * GIB ? 64 * MIB : 16 * MIB);
  return {
    codec: job.codec,
    level: job.level,
    blockBytes: Math.min(MIB, partBytes),
    partBytes,
    recipients,
  };
}
