/** How a secret is named in the configuration: where it is to be had, never the secret itself. */
import * as v from "valibot";
import type { SecretReference } from "../steps/job.ts";
import { absolutePath, type ReadVariable } from "./paths.ts";
import { strict, text } from "./schema_parts.ts";

const FORMS = "must say where the secret is: {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}";

/** `{env: NAME}`, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`. What stands there instead is never shown. */
export const secretSchema = v.union([
  strict({
    env: v.pipe(
      v.string(),
      v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"),
    ),
  }),
  strict({ file: text("A file that holds only the secret") }),
  strict({ command: v.pipe(v.array(text("A program and its arguments")), v.minLength(1, FORMS)) }),
], FORMS);

/** A secret that a person can also be asked for: `ask`. */
export const passwordSchema = v.union([v.literal("ask"), ...secretSchema.options], `${FORMS}, or ask`);

/** What {@linkcode secretSchema} accepts. */
export type WrittenSecret = v.InferOutput<typeof secretSchema>;

/** The reference with its file, if it is one, as an absolute path. */
export function secretReference(written: WrittenSecret, folder: string, read: ReadVariable): SecretReference {
  return "file" in written ? { file: absolutePath(written.file, folder, read) } : written;
}
