/** What is known of the terminal: whether there is one, how wide it is, whether it may be coloured. */

/** One of the two streams a person reads. */
export type StreamName = "stdout" | "stderr";

/** Wraps texts in colours, or leaves them alone. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const FALLBACK_WIDTH = 80;

/** The style of a stream: with `color` false every function gives its text back. */
export function createStyle(color: boolean): Style {
  // SGR parameters, ECMA-48 8.3.117.
  const paint = (open: number, close: number) => (text: string) =>
    color ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** True when a person sees this stream, and lines on it can be redrawn. */
export function isTerminal(stream: StreamName): boolean {
  return Deno[stream].isTerminal() && environment("TERM") !== "dumb";
}

/**
 * True when this stream may be coloured: a terminal, no `NO_COLOR` with a value (https://no-color.org), and not
 * switched off by the caller.
 */
export function mayColor(stream: StreamName, wanted = true): boolean {
  return wanted && isTerminal(stream) && !environment("NO_COLOR");
}

/** Columns of the terminal, now; 80 where they cannot be had, infinite where the stream is no terminal. */
export function terminalWidth(stream: StreamName): number {
  if (!Deno[stream].isTerminal()) return Infinity;
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : FALLBACK_WIDTH;
  } catch {
    return FALLBACK_WIDTH;
  }
}

/** True when a person can be asked: questions go to standard error, answers come from standard input. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** A variable of the environment, or undefined where it is not set or may not be read. */
function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}
