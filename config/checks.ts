/** The rules between keys of the configuration, which a schema says badly. */
import { nearest } from "../near.ts";
import { isUrl } from "./paths.ts";
import type { WrittenConfig, WrittenDatabase } from "./schema.ts";

/** Something wrong, and where. */
export interface Problem {
  /** The keys and indexes that lead to the place. */
  readonly path: readonly (string | number)[];
  /** True when the last key itself is meant, not its value. */
  readonly onKey?: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** All that is wrong between the keys of a configuration whose values are each right. */
export function checkRules(config: WrittenConfig): Problem[] {
  const problems: Problem[] = [];
  if (config.compression === "gzip" && tooHigh(config.level)) problems.push({ path: ["level"], ...TOO_HIGH });
  const labels = new Map<string, string>();
  for (const [name, database] of Object.entries(config.databases ?? {})) {
    const path = ["databases", name];
    const found = [
      checkSource(database),
      checkStore(database, config),
      checkEncryption(database),
      checkLevel(database, config),
    ];
    for (const problem of found) if (problem) problems.push({ ...problem, path: [...path, ...problem.path] });
    const label = database.label ?? name;
    const other = labels.get(label);
    if (other !== undefined) {
      problems.push({
        path: database.label === undefined ? path : [...path, "label"],
        onKey: database.label === undefined,
        message: `databases.${name} would have the label "${label}" of databases.${other}`,
        hint: "the backups of two databases must not be mixed: give one of them another label",
      });
    }
    labels.set(label, name);
  }
  return problems;
}

function checkSource({ url, path, password }: WrittenDatabase): Problem | undefined {
  if (url !== undefined && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#]*@|[?&]password=/i.test(url)) {
    return {
      path: ["url"],
      message: "the url must not hold a password",
      hint:
        "write it without one, and password: {env: NAME}, {file: PATH}, {command: [PROGRAM]} or ask beside it",
    };
  }
  if (password !== undefined && (url === undefined || /^sqlite:/i.test(url))) {
    return { path: ["password"], onKey: true, message: "an SQLite file has no password" };
  }
  if ((url === undefined) !== (path === undefined)) return undefined;
  return url === undefined
    ? { path: [], onKey: true, message: "it must have a url or a path" }
    : { path: ["path"], onKey: true, message: "give either url or path, not both" };
}

function checkStore({ store, stores }: WrittenDatabase, config: WrittenConfig): Problem | undefined {
  if (store !== undefined && stores !== undefined) {
    return { path: ["stores"], onKey: true, message: "give either store or stores, not both" };
  }
  if (stores !== undefined && stores.length !== 1) {
    return {
      path: ["stores"],
      message: "it must name exactly one store",
      hint: "copies to further stores do not exist yet",
    };
  }
  const wanted = store ?? stores?.[0];
  const known = Object.keys(config.stores ?? {});
  if (wanted === undefined || known.includes(wanted) || isUrl(wanted) || /[/~\\]/.test(wanted)) {
    return undefined;
  }
  const near = nearest(wanted, known);
  return {
    path: store === undefined ? ["stores", 0] : ["store"],
    message: `no store is called "${wanted}"`,
    hint: near === undefined
      ? `add it under stores, or write ./${wanted} for a folder`
      : `did you mean "${near}"?`,
  };
}

function checkEncryption({ encrypt_to, passphrase }: WrittenDatabase): Problem | undefined {
  if (encrypt_to === undefined || passphrase === undefined) return undefined;
  return { path: ["passphrase"], onKey: true, message: "give either encrypt_to or passphrase, not both" };
}

const TOO_HIGH = { message: "the level of gzip must be from 1 to 9" };

function tooHigh(level: number | null | undefined): boolean {
  return (level ?? 0) > 9;
}

/** Either of the two keys may be the file's own; that both are is the file's problem, not the database's. */
function checkLevel({ compression, level }: WrittenDatabase, config: WrittenConfig): Problem | undefined {
  const codec = compression ?? config.compression;
  if (codec !== "gzip" || !tooHigh(level ?? config.level)) return undefined;
  if (level !== undefined) return { path: ["level"], ...TOO_HIGH };
  return compression === undefined ? undefined : { path: ["compression"], ...TOO_HIGH };
}
