/** Where the password of a database is to be had: a reference, because jobs are journaled. */
import type { DatabaseConfig } from "../config/config.ts";
import { splitPassword } from "../steps/address.ts";
import type { SecretReference } from "../steps/job.ts";
import { answerBeforehand } from "./ask.ts";
import type { Output } from "./output.ts";

/** A URL without a password, and what makes the reference to that for the canonical address. */
export interface FoundPassword {
  readonly url: string;
  reference(address: { readonly engine: string; readonly url: string }): SecretReference | undefined;
}

/**
 * A password in a URL on the command line is taken out, with a warning, and kept in this process only: a resumed run asks
 * for it. Else the configuration says where it is, else the variable that the database's own clients know.
 */
export function passwordOf(known: DatabaseConfig | undefined, text: string, output: Output): FoundPassword {
  const { url, password } = splitPassword(known?.url ?? text);
  if (password !== undefined) {
    output.warn(
      "a password on the command line can be seen by every user of this machine: " +
        "use PGPASSWORD, or `password:` in cairn.yaml (a resumed run is going to ask for it)",
    );
  }
  return {
    url,
    reference(address) {
      const question = `password for ${address.url}: `;
      if (password !== undefined) {
        answerBeforehand(question, password);
        return { ask: question };
      }
      if (known?.password !== undefined) return known.password === "ask" ? { ask: question } : known.password;
      const isSet = address.engine === "postgres" && (Deno.env.get("PGPASSWORD") ?? "") !== "";
      return isSet ? { env: "PGPASSWORD" } : undefined;
    },
  };
}
