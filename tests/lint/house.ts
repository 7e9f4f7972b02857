/// <reference lib="deno.unstable" />
/**
 * House rules that `deno lint` cannot express by itself: which room may import which (the doors of
 * `docs/architecture.md`), which package belongs to which room, and how long a file may be.
 */

const DOORS: Record<string, readonly string[]> = {
  engine: [],
  streams: [],
  storage: ["streams"],
  adapters: ["streams"],
  steps: ["streams", "storage", "adapters", "engine"],
  config: ["steps"],
  daemon: ["config", "steps", "engine"],
  cli: ["daemon", "config", "steps", "engine"],
};

/** Packages that only the listed places (rooms or path prefixes) may import. */
const HOMES: Record<string, readonly string[]> = {
  "@bomb.sh/tab": ["cli/"],
  "@commander-js/extra-typings": ["cli/"],
  "commander": ["cli/"],
  "yaml": ["config/"],
  "age-encryption": ["streams/"],
  "libsodium-wrappers": ["streams/"],
  "node:sqlite": ["engine/", "steps/catalog", "adapters/sqlite/"],
};

/** What every room may import: errors, and the near word that their hints name. */
const COMMON = ["errors.ts", "near.ts"];

const MAX_LINES = 400;
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    doors: {
      create(context) {
        const file = context.filename.replace(ROOT, "");
        const room = file.split("/")[0] ?? "";
        const open = DOORS[room];
        return {
          ImportDeclaration(node) {
            const wanted = node.source.value;
            const homes = HOMES[wanted];
            if (open && homes && !homes.some((home) => file.startsWith(home))) {
              context.report({ node, message: `${wanted} may only be imported in ${homes.join(", ")}` });
            }
            if (!open || !wanted.startsWith(".")) return;
            const target = new URL(wanted, `file://${context.filename}`).pathname.replace(ROOT, "");
            const to = target.split("/")[0] ?? "";
            if (to === room || COMMON.includes(target) || open.includes(to)) return;
            if (room === "config" && to === "steps" && node.importKind === "type") return;
            context.report({ node, message: `${room}/ may not import ${target}` });
          },
        };
      },
    },
    "file-length": {
      create(context) {
        return {
          Program(node) {
            const lines = context.sourceCode.text.split("\n").length;
            if (lines > MAX_LINES) {
              context.report({ node, message: `${lines} lines: split the file (at most ${MAX_LINES})` });
            }
          },
        };
      },
    },
  },
};

export default plugin;
