/** The tables that the benchmark prints, in Markdown. */

/** A row: what was measured, the figures, and how they stand to the goal. */
export type Row = readonly string[];

/** Prints a line. */
export function print(line = ""): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

/** Prints a table with a heading. */
export function printTable(heading: string, titles: Row, rows: readonly Row[]): void {
  const widths = titles.map((title, column) =>
    Math.max(...[title, ...rows.map((r) => r[column] ?? "")].map(length))
  );
  const line = (cells: Row) =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width)).join(" | ")} |`;
  print(`\n### ${heading}\n`);
  print(line(titles));
  print(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const row of rows) print(line(row));
}

function length(text: string): number {
  return text.length;
}

/** `2.31 s` */
export function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

/** `187 MB` */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** A figure beside the most that it may be: `1.04 (goal 1.0: missed)` */
export function against(goal: number, value: number, format: (value: number) => string): string {
  return `${format(value)} (goal ${format(goal)}: ${value <= goal ? "met" : "missed"})`;
}

/** `1.23 ×` */
export function times(value: number): string {
  return `${value.toFixed(2)} ×`;
}
