/** `cairn key`: makes a key, and proves that a key opens what is made for it. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";
import type { Output } from "./output.ts";
import type { Session } from "./session.ts";
import { visible } from "./text.ts";

/** Adds `key generate` and `key check`. */
export function register(program: Program): void {
  const key = program.command("key")
    .helpGroup(GROUPS.setup)
    .summary("make a key, prove a key")
    .description("Keys for backups that are encrypted (age, https://age-encryption.org/v1).");

  const generate = key.command("generate")
    .summary("make a key")
    .description("Makes an age identity file. A file that exists is never overwritten.")
    .option("--output <file>", "where to write it (default: key.txt in the state folder)")
    .action(action(async (session, options) => {
      const { createKeyFile, defaultKeyFile } = await import("../steps/key.ts");
      const made = await createKeyFile(options.output ?? defaultKeyFile(session.home), new Date());
      const { output } = session;
      output.line(`key       ${visible(made.file)}`);
      output.line(`public    ${made.recipient}`);
      output.line();
      output.line("keep a copy of this file elsewhere: what is encrypted for it opens with nothing else");
      output.line("to use it, put into cairn.yaml:   encrypt_to: [" + made.recipient + "]");
      output.line("to prove a copy:                  cairn key check --identity COPY");
      output.json({ status: "done", file: made.file, recipient: made.recipient });
    }));
  addExamples(generate, [
    ["cairn key generate", "for this host"],
    [
      "cairn key generate --output /media/usb/cairn-key.txt",
      "not on this host: it can then back up, not read",
    ],
  ]);

  const check = key.command("check")
    .summary("prove that a key opens what is made for it")
    .description(
      "Encrypts a probe for the key, and for each recipient of the configuration, and opens it with this key alone.\n" +
        "Until that was done once, each encrypted backup warns.",
    )
    .option("--identity <file>", "the identity file (default: key.txt in the state folder)")
    .action(action(async (session, options) => {
      const { defaultKeyFile, proveKey, rememberProof } = await import("../steps/key.ts");
      const { askSecret } = await import("./ask.ts");
      const file = options.identity ?? defaultKeyFile(session.home);
      const wanted = await configuredRecipients(session);
      const proof = await proveKey(file, wanted, askSecret);
      await rememberProof(session.home, proof, new Date());
      for (const recipient of proof.opens) tell(session.output, "opens", recipient, wanted);
      for (const recipient of proof.foreign) tell(session.output, "does not open", recipient, wanted);
      const isUseless = wanted.length > 0 && !wanted.some((recipient) => proof.opens.includes(recipient));
      if (isUseless) {
        const { CairnError } = await import("../errors.ts");
        throw new CairnError(
          "key",
          `${file} opens none of the recipients that the configuration encrypts to`,
          {
            hint: "check the key that belongs to encrypt_to, or correct encrypt_to",
          },
        );
      }
      session.output.json({ status: "done", file, opens: proof.opens, foreign: proof.foreign });
    }));
  addExamples(check, [
    ["cairn key check", "the key of this host"],
    ["cairn key check --identity /media/usb/cairn-key.txt", "the copy that is kept elsewhere"],
  ]);
}

function tell(output: Output, verdict: string, recipient: string, wanted: readonly string[]): void {
  const paint = verdict === "opens" ? output.style.green : output.style.yellow;
  output.line(`${paint(verdict)} ${recipient}${wanted.includes(recipient) ? " (encrypt_to)" : ""}`);
}

/** The recipients that the configuration names anywhere; none without one. */
async function configuredRecipients(session: Session): Promise<readonly string[]> {
  const config = await session.config();
  const ofDatabases = [...config.databases.values()].flatMap((database) => database.encryptTo ?? []);
  return [...new Set([...config.encryptTo, ...ofDatabases])];
}
