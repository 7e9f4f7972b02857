/**
 * The parts that schemas of the configuration are made of. A message says what a value must be ("must be text"), so that
 * it can follow the place; a second line is the hint. No message shows a value, which may be a misplaced secret.
 */
import * as v from "valibot";
import { nearest } from "../near.ts";

/** An object without unknown keys; for those it proposes a near one. */
export function strict<const T extends v.ObjectEntries>(
  entries: T,
): v.StrictObjectSchema<T, v.ErrorMessage<v.StrictObjectIssue>> {
  return v.strictObject(entries, (issue) => {
    if (issue.expected !== "never") return "must be a group of keys and values";
    const near = nearest(String(issue.path?.at(-1)?.key), Object.keys(entries));
    return near === undefined
      ? `\nknown here: ${Object.keys(entries).join(", ")}`
      : `\ndid you mean "${near}"?`;
  });
}

/** A text that is not empty and can be a path or an argument. */
export function text(
  description: string,
): v.SchemaWithPipe<
  readonly [
    v.StringSchema<string>,
    v.RegexAction<string, string>,
    v.DescriptionAction<string, string>,
  ]
> {
  return v.pipe(
    v.string("must be text\nput it in quotes if it looks like a number, a date or a group"),
    // A NUL ends a path for the system, but not for us.
    v.regex(/^[^\0]+$/, "must not be empty"),
    v.description(description),
  );
}
