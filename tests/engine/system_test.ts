import assert from "node:assert/strict";
import { networkFileSystem, processStart, readMountinfo } from "../../engine/system.ts";

const MOUNTS = [
  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "30 22 0:45 / /srv rw - nfs4 server:/srv rw,vers=4.2",
  "31 30 8:2 / /srv/fast rw - xfs /dev/sdb rw",
  "32 22 0:46 / /home/a\\040b rw - cifs //nas/home rw",
  "33 22 0:47 / /over rw - ext4 /dev/sdc rw",
  "34 33 0:48 / /over rw - fuse.sshfs me@host: rw",
].join("\n");

Deno.test("the file system of a folder is that of the innermost, latest mount", () => {
  for (
    const [path, expected] of [
      ["/", null],
      ["/srv", "nfs4"],
      ["/srv/x/y", "nfs4"],
      ["/srv/fast/x", null],
      ["/srvx", null],
      ["/home/a b/state", "cifs"],
      ["/over/x", "fuse.sshfs"],
    ] as const
  ) assert.equal(networkFileSystem(path, MOUNTS), expected, path);
});

Deno.test("the file systems of networks are known", () => {
  const type = (name: string) => networkFileSystem("/m", `1 0 0:1 / /m rw - ${name} x rw`);
  for (const name of ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"]) {
    assert.equal(type(name), name);
  }
  for (const name of ["ext4", "btrfs", "overlay", "tmpfs", "fuse.mergerfs", "zfs"]) {
    assert.equal(type(name), null);
  }
});

Deno.test("a process is known by its start, until it has ended", async () => {
  const mine = await processStart(Deno.pid);
  assert.match(mine ?? "", /^\d+$/);
  assert.equal(await processStart(Deno.pid), mine);
  await using child = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  const other = await processStart(child.pid);
  assert.notEqual(other, null);
  assert.notEqual(other, mine);
  await child.stdin.close();
  await child.status;
  assert.equal(await processStart(child.pid), null);
});

Deno.test("the mount table can be read", async () => {
  assert.match(await readMountinfo() ?? "", / - \w+ /);
});
