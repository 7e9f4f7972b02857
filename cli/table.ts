/** Tables without borders: aligned, cut to the terminal's width, safe for names from outside. Pure. */
import { cut, fits, pad, textWidth, visible } from "./text.ts";

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers and sizes stand at the right. */
  readonly align?: "left" | "right" | undefined;
  /** Never cut, as long as the line has room for it: for ids that a person copies. */
  readonly keep?: boolean | undefined;
  /** Colours a cell, given as it is; not used on the title, nor on lines that do not fit. */
  readonly paint?: ((cell: string) => string) | undefined;
}

const GAP = 2;
/** No column is cut below this, so that it still says something. */
const LEAST = 6;

/**
 * The lines of a table, with a line of titles where there are any. `width` is that of the terminal, or `Infinity` in a pipe, where nothing
 * is cut. Control characters in cells are shown, not obeyed; missing cells are empty; no line ends with blanks.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = Infinity,
): string[] {
  const titles = columns.map((column) => column.title);
  const hasTitles = titles.some((title) => title !== "");
  const lines = [...hasTitles ? [titles] : [], ...rows]
    .map((row) => columns.map((_, index) => visible(row[index] ?? "")));
  const widths = fit(columns, lines, width);
  const isPainted = columns.some((column) => column.paint !== undefined);
  return lines.map((cells, row) => {
    const padded = cells.map((cell, index) => {
      const space = widths[index] ?? 0;
      const isLast = index === columns.length - 1;
      const align = columns[index]?.align;
      return pad(cut(cell, space), isLast && align !== "right" ? 0 : space, align);
    });
    const plain = padded.join(" ".repeat(GAP)).trimEnd();
    if ((row === 0 && hasTitles) || !fits(plain, width)) return cut(plain, width);
    if (!isPainted) return plain;
    return padded.map((cell, index) => paint(cell, columns[index]?.paint)).join(" ".repeat(GAP)).trimEnd();
  });
}

/** Colours the text of a cell, not the blanks around it. */
function paint(cell: string, color: Column["paint"]): string {
  const text = cell.trim();
  return color === undefined || text === "" ? cell : cell.replace(text, () => color(text));
}

/** The width of each column: the widest ones give way first, until the line fits. */
function fit(columns: readonly Column[], lines: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => textWidth(cells[index] ?? ""))));
  let over = widths.reduce((sum, each) => sum + each, GAP * Math.max(0, columns.length - 1)) - width;
  while (over > 0) {
    let widest = -1;
    widths.forEach((each, index) => {
      const column = columns[index];
      // Half a number is another number.
      if (column?.keep || column?.align === "right" || each <= LEAST) return;
      if (widest < 0 || each > (widths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
}
