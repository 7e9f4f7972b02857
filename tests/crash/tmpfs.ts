/** Small disks. They need root. */
import { join } from "node:path";
import { lacks } from "./settings.ts";

/** A mounted disk, unmounted when disposed of. */
export interface Disk extends AsyncDisposable {
  /** Fills what is free but for so many bytes. */
  fill(leaveBytes: number): Promise<void>;
  /** Takes the filling out again. */
  empty(): Promise<void>;
}

/** True when tests that need a small disk have to be left out. */
export async function lacksMounts(): Promise<boolean> {
  const probe = await Deno.makeTempDir({ prefix: "cairn-crash-mount-" });
  const works = await mount(probe, 1 << 20).then(() => true, () => false);
  if (works) await unmount(probe);
  await Deno.remove(probe);
  return lacks("small disks", works, "run it as root, where a tmpfs can be mounted");
}

/** Mounts a disk of so many bytes at a folder, which is made when it is not there. */
export async function mountDisk(folder: string, bytes: number): Promise<Disk> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await mount(folder, bytes);
  const ballast = join(folder, "ballast");
  return {
    async fill(leaveBytes) {
      using file = await Deno.open(ballast, { write: true, create: true, mode: 0o600 });
      const block = new Uint8Array(4096);
      let written = 0;
      try {
        for (;;) written += await file.write(block);
      } catch (error) {
        if (!(error instanceof Error && /ENOSPC|No space left/.test(error.message))) throw error;
      }
      await file.truncate(Math.max(0, written - leaveBytes));
    },
    empty: () => Deno.remove(ballast),
    [Symbol.asyncDispose]: () => unmount(folder),
  };
}

async function mount(folder: string, bytes: number): Promise<void> {
  await system("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "cairn-crash", folder]);
}

async function unmount(folder: string): Promise<void> {
  await system("umount", ["-l", folder]);
}

async function system(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stderr: "piped" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
