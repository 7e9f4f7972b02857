/** What may stand in `cairn.yaml`, as a schema; rules between keys are in `checks.ts`. */
import * as v from "valibot";
import { strict, text } from "./schema_parts.ts";
import { passwordSchema, secretSchema } from "./secret.ts";

/** What databases, stores and labels may be called. */
export const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const name = v.pipe(
  v.string(),
  v.regex(
    NAME,
    'must be made of small letters, digits, ".", "_" and "-", begin with a letter or digit, and have 63 at most',
  ),
);

const compression = v.pipe(
  v.picklist(["zstd", "gzip", "none"], "must be zstd, gzip or none"),
  v.description("How backups are compressed; zstd by default"),
);

const LEVEL = "must be a whole number from 1 to 19 (gzip: to 9)";
const level = v.pipe(
  v.number(LEVEL),
  v.integer(LEVEL),
  v.minValue(1, LEVEL),
  v.maxValue(19, LEVEL),
  v.description("How hard to compress: 1 to 19 for zstd, 1 to 9 for gzip"),
);

const encryptTo = v.pipe(
  v.array(
    v.pipe(
      v.string("must be an age recipient, which begins with age1"),
      v.regex(
        /^age1[a-z0-9]+$/,
        "must be an age recipient, which begins with age1\n`cairn key generate` makes one; a secret key never belongs here",
      ),
    ),
    "must be a list of age recipients, for example [age1…]",
  ),
  v.description("The age recipients that backups are encrypted for; a server needs no secret"),
);

const tables = (description: string) =>
  v.optional(v.pipe(v.array(text("A table"), "must be a list of tables"), v.description(description)));

const URL = 'must be a URL such as sqlite:/srv/app.db\na path belongs under "path"';

const database = strict({
  url: v.optional(v.pipe(
    v.string(URL),
    v.regex(/^[A-Za-z][A-Za-z0-9+.-]+:[^\0]+$/, URL),
    v.description("Where the database is, for example sqlite:/srv/app.db"),
  )),
  path: v.optional(text("The path of an SQLite file")),
  password: v.optional(v.pipe(passwordSchema, v.description("Where the password of the user in the URL is"))),
  label: v.optional(v.pipe(
    v.string("must be text"),
    v.regex(NAME, 'must be a name of small letters, digits, ".", "_" and "-"'),
    v.description("What its backups are called in the store; its name here by default"),
  )),
  store: v.optional(text("The name of a store above, a folder or a URL; the first store by default")),
  stores: v.optional(v.array(text("A store"), "must be a list of stores")),
  compression: v.optional(compression),
  level: v.optional(level),
  encrypt_to: v.optional(encryptTo),
  passphrase: v.optional(v.pipe(secretSchema, v.description("Where the passphrase of its backups is"))),
  tables: tables("Only these tables"),
  exclude_tables: tables("All tables but these"),
});

/** The whole file. A key whose value is left empty (all below it is commented out) counts as absent. */
export const configSchema = strict({
  stores: v.nullish(v.pipe(
    v.record(name, text("A folder or a URL"), "must be a group of names and folders"),
    v.description("Where backups are kept, by name"),
  )),
  encrypt_to: v.nullish(encryptTo),
  databases: v.nullish(v.pipe(
    v.record(name, database, "must be a group of names and databases"),
    v.description("What is backed up, by name"),
  )),
  state: v.nullish(text("The folder for Cairn's own state")),
  compression: v.nullish(compression),
  level: v.nullish(level),
});

/** A configuration as it was written. */
export type WrittenConfig = v.InferOutput<typeof configSchema>;
/** A database as it was written. */
export type WrittenDatabase = v.InferOutput<typeof database>;

/** The JSON schema (draft 7) of `cairn.yaml`, for editors. */
export async function configJsonSchema(): Promise<Record<string, unknown>> {
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  return { title: "cairn.yaml", ...toJsonSchema(configSchema, { typeMode: "input" }) };
}
