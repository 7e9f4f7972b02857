import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { CairnError } from "../../errors.ts";
import { openStore } from "../../storage/registry.ts";

Deno.test("paths and file URLs open a folder under its absolute path", async () => {
  for (
    const [url, path] of [
      ["backups", resolve("backups")],
      ["./s3:x", resolve("s3:x")],
      ["/var/backups", "/var/backups"],
      ["file:///var/my%20backups", "/var/my backups"],
      ["C:\\backups", resolve("C:\\backups")],
    ] as const
  ) {
    const store = await openStore(url);
    assert.equal(store.url, path);
    assert.equal(store.capabilities.staging, join(path, ".partial"));
    await store.close();
  }
});

Deno.test("other addresses are usage errors that say what to do", async () => {
  for (
    const [url, message] of [
      ["s3://bucket/x", /S3 stores are not part of this version yet/],
      ["gs://bucket/x", /Google Cloud Storage stores are not part of this version yet/],
      ["az://account/x", /Azure Blob stores are not part of this version yet/],
      ["S3://bucket", /not part/],
      ["ftp://host/x", /"ftp:"/],
      ["file:backups", /no address of a folder/],
      ["file://otherhost/x", /no address of a folder/],
      ["", /empty/],
    ] as const
  ) {
    await assert.rejects(() => openStore(url), (thrown) => {
      assert.ok(thrown instanceof CairnError && thrown.code === "usage", `${url}: ${thrown}`);
      assert.match(thrown.message, message);
      assert.ok(thrown.hint);
      return true;
    });
  }
});
