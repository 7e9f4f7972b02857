/** Text in a terminal: how wide it is, cutting it, and taking away its power to steer the terminal. */

// What moves, recolours or reorders the rest of a line: C0 and C1 controls, line separators, bidirectional controls.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Most texts: a list may have 70,000 of them. */
const PLAIN = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// East Asian wide and full-width blocks (Unicode TR 11), as far as names are likely to use them.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
// deno-lint-ignore no-control-regex
const SGR = /\x1b\[[0-9;]*m/g;
const segments = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Makes a name from outside harmless: control characters are shown as `\x1b` or `\u202e`, not obeyed. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(CONTROLS, (control) => {
    const code = control.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** How many columns a text takes; colours take none. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segments.segment(text.replace(SGR, ""))) width += graphemeWidth(segment);
  return width;
}

/** True when a text takes at most `width` columns; told without looking where it is short enough in any case. */
export function fits(text: string, width: number): boolean {
  return text.length * 2 <= width || textWidth(text) <= width;
}

/** A text of at most `width` columns; what is too long ends with `…`. For text without colours. */
export function cut(text: string, width: number): string {
  if (fits(text, width)) return text;
  if (width < 1) return "";
  let kept = "";
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Fills a text with blanks up to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + blanks : blanks + text;
}

function graphemeWidth(grapheme: string): number {
  if (EMOJI.test(grapheme)) return 2;
  for (const character of grapheme) {
    if (!ZERO_WIDTH.test(character)) return WIDE.test(character) ? 2 : 1;
  }
  return 0;
}
