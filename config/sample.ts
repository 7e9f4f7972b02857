/** The first `cairn.yaml` of a person, as `cairn init` writes it. */
import { CairnError } from "../errors.ts";
import { NAME } from "./schema.ts";

/** What is known when the file is made. */
export interface SampleOptions {
  /** The age recipient of the key that was just made. */
  readonly recipient?: string | undefined;
  /** A folder or a URL. */
  readonly store: string;
  readonly databases: readonly { readonly name: string; readonly path: string }[];
}

/** A commented configuration that passes the check. Throws `usage` for a name that a database cannot have. */
export function sampleConfig({ recipient, store, databases }: SampleOptions): string {
  const wrong = databases.find(({ name }) => !NAME.test(name));
  if (wrong) throw new CairnError("usage", `a database cannot be called "${wrong.name}"`);
  return `# What Cairn backs up, and where to. Check it with: cairn config check
# Relative paths are relative to this file. Flags go before CAIRN_* variables, those before this file.

# Where backups are kept, by name. The first one is used unless a database names another.
stores:
  local: ${quoted(store)}

${encryption(recipient)}

# zstd (the default), gzip or none; the level is 1 to 19 for zstd, 1 to 9 for gzip.
# compression: zstd
# level: 3

# Where Cairn keeps its own state; by default ~/.local/state/cairn
# state: /var/lib/cairn

# What is backed up, by name: cairn backup NAME
databases:
${databases.length === 0 ? EXAMPLE : databases.map(entry).join("")}
    # All of these are optional:
    # label: app                  # what its backups are called in the store
    # store: local                # one of the stores above
    # compression: gzip
    # tables: [customers]         # only these
    # exclude_tables: [sessions]  # all but these
    # encrypt_to: [age1…]         # recipients of its own; [] for none
    # passphrase: {file: app.passphrase}   # instead of encrypt_to; or {env: NAME}, or {command: [pass, app]}
`;
}

const EXAMPLE = `  # app:
  #   path: /srv/app.db
`;

function entry({ name, path }: { readonly name: string; readonly path: string }): string {
  return `  ${quoted(name)}:\n    path: ${quoted(path)}\n`;
}

function encryption(recipient: string | undefined): string {
  const words =
    `# Backups are encrypted for these age recipients. This host needs only them; keep the secret key, which opens
# the backups, in another place too: without it they are lost.`;
  return `${words}\n${
    recipient === undefined ? "# encrypt_to: [age1…]" : `encrypt_to: [${quoted(recipient)}]`
  }`;
}

/** A JSON string is a double-quoted scalar of YAML 1.2, whatever is in it; plain words need no quotes. */
function quoted(text: string): string {
  return /^[a-z/][a-z0-9/._-]*$/i.test(text) && !KEYWORDS.test(text) ? text : JSON.stringify(text);
}

/** Words that YAML would not take for text. */
const KEYWORDS = /^(true|false|null)$/i;
