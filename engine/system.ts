/** What the engine asks Linux through `/proc`: who a process is, and what kind of file system a folder lies on. */

/** File systems on which neither file locks nor WAL can be trusted between hosts. */
const NETWORK_FILE_SYSTEM =
  /^(nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|fuse\.(sshfs|glusterfs|s3fs|rclone|ceph.*))$/;

/**
 * The time at which a process started, in clock ticks since boot: with the pid it names one process for good
 * (field 22 of `/proc/<pid>/stat`, proc_pid_stat(5)). Null when there is no such process, or no `/proc`.
 */
export async function processStart(pid: number): Promise<string | null> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the command in parentheses and may hold spaces: count from the last one.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return null;
  return rest[18] ?? null;
}

/** The mount table of this process (proc_pid_mountinfo(5)), or null where there is none. */
export function readMountinfo(): Promise<string | null> {
  return readProc(`/proc/${Deno.pid}/mountinfo`);
}

/** The type of the network file system that holds `path` (absolute, without links), or null when it is local. */
export function networkFileSystem(path: string, mountinfo: string): string | null {
  let longest = -1;
  let type = "";
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const point = left?.split(" ")[4];
    if (point === undefined || right === undefined) continue;
    const folder = point.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    const inside = path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
    // Of two mounts on one point the later lies on top.
    if (!inside || folder.length < longest) continue;
    longest = folder.length;
    type = right.split(" ")[0] ?? "";
  }
  return NETWORK_FILE_SYSTEM.test(type) ? type : null;
}

/** Deno guards `/proc` with all permissions; a program with fewer asks `cat`. */
async function readProc(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) return null;
  }
  try {
    const { success, stdout } = await new Deno.Command("cat", {
      args: [path],
      stdin: "null",
      stderr: "null",
      clearEnv: true,
    }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null;
  }
}
