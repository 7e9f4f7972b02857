/** How much room a disk has, asked before anything large is written. */
import { statfs } from "node:fs/promises";
import { CairnError } from "../errors.ts";

/** The part of a disk that is left free for everybody else. */
const RESERVE = 0.1;

/** Throws `no_space` unless `bytes` fit on the disk of `folder` (which exists) with a tenth of the disk to spare. */
export async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const usable = Math.max(0, free - blocks * bsize * RESERVE);
  if (bytes <= usable) return;
  throw new CairnError(
    "no_space",
    `${what} needs ${megabytes(bytes)}, and ${folder} has ${megabytes(free)} free`,
    {
      hint: "a tenth of the disk is kept free; make room, or move the state folder with CAIRN_HOME",
      passing: false,
    },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
