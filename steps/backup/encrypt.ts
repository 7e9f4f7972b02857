/** The encrypt stage: for whom the parts are sealed; the work itself is done part by part in `streams/`. */
import { encodeBase64 } from "../base64.ts";
import type { Context } from "../../engine/workflow.ts";
import type { Environment } from "../environment.ts";
import type { BackupJob } from "../job.ts";
import { resolveSecret } from "../secret.ts";

/** For whom an artifact is made. */
export type Recipients = {
  /** age recipients; empty when nothing is encrypted. */
  readonly recipients: readonly string[];
  /** In passphrase mode the identity that opens the artifact, protected by the passphrase, in base64. */
  readonly identity: string | null;
};

/**
 * Chooses the recipients. In passphrase mode an identity is generated once and journaled only in its protected form, so that
 * neither a crash nor a reader of the journal ever meets the key in clear, and a resumed run needs no passphrase.
 */
export async function chooseRecipients(
  context: Context,
  environment: Environment,
  job: BackupJob,
): Promise<Recipients> {
  const { encryption } = job;
  if (encryption.mode === "none") return { recipients: [], identity: null };
  if (encryption.mode === "recipients") return { recipients: encryption.recipients, identity: null };
  return await context.step("encrypt", async () => {
    const passphrase = await resolveSecret(encryption.passphrase, environment.ask);
    const { generateIdentity, protectIdentity } = await import("../../streams/age.ts");
    const { identity, recipient } = await generateIdentity();
    return { recipients: [recipient], identity: encodeBase64(await protectIdentity(identity, passphrase)) };
  });
}
