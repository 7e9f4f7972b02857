/** Turns what PostgreSQL's programs say on standard error into errors that name what to do. */
import { CairnError, type ErrorCode } from "../../errors.ts";
import type { Ending } from "../child.ts";

const MAX_SHOWN_CHARACTERS = 500;

/** The first pattern that is found decides. Server messages are English unless its `lc_messages` says otherwise. */
const KINDS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /FATAL: +(?:3D000: +)?database ".*" does not exist/,
    "not_found",
    "check the name: `psql -l` lists the databases of a server",
  ],
  [
    /no password supplied/,
    "permission",
    "say where the password is: `password:` of the database in cairn.yaml, or the environment variable PGPASSWORD",
  ],
  [/authentication failed|FATAL: +role ".*" does not exist/, "permission", "check the user and the password"],
  [
    /no pg_hba\.conf entry|certificate|permission denied for database/,
    "permission",
    "ask the server's administrator",
  ],
  [
    /could not translate host name|Connection refused|timeout expired|connection to server .* failed|could not connect|server closed the connection|terminating connection|connection to server was lost|no connection to the server|SSL/,
    "unreachable",
    "check the host, the port and that the server runs",
  ],
  [
    /due to lock timeout|due to statement timeout[^]*LOCK TABLE/,
    "source_locked",
    "somebody holds a table for himself: try again later, or end that session",
  ],
  [
    /permission denied|must be (?:owner|member|superuser)|row-level security|Must be superuser/i,
    "permission",
    "grant the missing rights, see docs/databases/postgresql.md",
  ],
  [/No space left on device|could not extend file/, "no_space", "make room on the server's disk"],
  [
    /role ".*" does not exist/,
    "refused",
    "make the role on this server first, or leave out owners and grants with --no-owner",
  ],
  [
    /extension ".*" is not available|could not open extension control file/,
    "refused",
    "install the extension on this server first",
  ],
];

/** The error for a client program that ended badly while it did `what`. */
export function toolError(name: string, ending: Ending, what: string): CairnError {
  for (const [pattern, code, hint] of KINDS) {
    if (!pattern.test(ending.complaint)) continue;
    return new CairnError(code, `${what}: ${lastLines(ending.complaint)}`, { hint });
  }
  const said = ending.complaint === "" ? "" : `: ${lastLines(ending.complaint)}`;
  return new CairnError("tool_failed", `${what}: ${name} ended with ${ending.how}${said}`, {
    hint: "the log has all that it said",
  });
}

/** The end of a complaint in one line, without the program's own name in front. */
export function lastLines(complaint: string): string {
  const lines = complaint.split("\n").map((line) =>
    line.replace(/^(psql|pg_dump|pg_restore):(<stdin>:\d+:)? (error: |detail: )?/, "")
  );
  return lines.join(" · ").slice(-MAX_SHOWN_CHARACTERS).replace(/\s+/g, " ").replace(/\.$/, "");
}
