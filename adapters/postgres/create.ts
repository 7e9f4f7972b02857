/** Makes the new database of a restore as the old one was: encoding and locale, which cannot be changed later. */
import type { Toc } from "./toc.ts";
import { identifier } from "./psql.ts";

/** The options of CREATE DATABASE that are taken over, and the first release that knows them. */
const OPTIONS: Readonly<Record<string, number>> = {
  ENCODING: 10,
  LOCALE: 13,
  LC_COLLATE: 10,
  LC_CTYPE: 10,
  LOCALE_PROVIDER: 15,
  ICU_LOCALE: 15,
  ICU_RULES: 16,
  BUILTIN_LOCALE: 17,
};

/** The statement that makes the database `name` for a dump, on a server with that `server_version_num`. */
export function createDatabaseSql(name: string, { entries }: Toc, serverNumber: number): string {
  const old = entries.find((entry) => entry.kind === "DATABASE")?.definition ?? "";
  const behind = old.slice(old.lastIndexOf(" WITH TEMPLATE = template0"));
  const options: string[] = [];
  for (const [, option = "", value = ""] of behind.matchAll(/ ([A-Z_]+) = ('(?:[^'\\]|'')*'|[a-z]+)/g)) {
    const since = Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined;
    if (since !== undefined && serverNumber >= since * 10_000) options.push(`${option} = ${value}`);
  }
  return `create database ${identifier(name)} with template = template0 ${options.join(" ")};`;
}
