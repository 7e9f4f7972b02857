/** Looks for what the schema would take for a group although it is none, or pass over in silence. */
import type { Problem } from "./checks.ts";

/** Names that every object of the language has. */
const RESERVED = ["__proto__", "constructor", "prototype"];

/** Lists, sets and dates in the place of a group, and reserved names, in the value of a whole configuration. */
export function checkShape(value: unknown): Problem[] {
  const problems = notAGroup(value, []);
  for (const group of ["stores", "databases"]) {
    const names = memberOf(value, group);
    problems.push(...notAGroup(names, [group]), ...reserved(names, group));
  }
  const databases = memberOf(value, "databases");
  if (isGroup(databases)) {
    for (const [name, one] of Object.entries(databases)) {
      problems.push(...notAGroup(one, ["databases", name]));
    }
  }
  return problems;
}

/** Texts, numbers and the like are left to the schema. */
function notAGroup(value: unknown, path: readonly string[]): Problem[] {
  if (typeof value !== "object" || value === null || isGroup(value)) return [];
  return [{ path, message: `${path.join(".") || "the file"} must be a group of keys and values` }];
}

function reserved(names: unknown, group: string): Problem[] {
  if (!isGroup(names)) return [];
  return RESERVED.filter((name) => Object.hasOwn(names, name)).map((name) => ({
    path: [group, name],
    onKey: true,
    message: `the name "${name}" in ${group} is reserved`,
  }));
}

function memberOf(value: unknown, key: string): unknown {
  return isGroup(value) ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
