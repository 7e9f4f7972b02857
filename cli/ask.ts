/** Asks for a secret at a terminal, without showing what is typed. */
import { canAsk } from "./terminal.ts";
import { write } from "./write.ts";

/** What a person types, or undefined where nobody can be asked. Ctrl-C and an empty line give up. */
export async function askSecret(question: string): Promise<string | undefined> {
  if (!canAsk()) return undefined;
  write("stderr", question);
  Deno.stdin.setRaw(true, { cbreak: false });
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  try {
    while (await Deno.stdin.read(byte) === 1) {
      const [code = 0] = byte;
      if (code === 0x0d || code === 0x0a) break;
      if (code === 0x03 || code === 0x04) return undefined;
      if (code === 0x7f || code === 0x08) removeCharacter(typed);
      else typed.push(code);
    }
  } finally {
    Deno.stdin.setRaw(false);
    write("stderr", "\n");
  }
  return typed.length === 0 ? undefined : new TextDecoder().decode(new Uint8Array(typed));
}

/** Takes the last character back, with all its UTF-8 bytes. */
function removeCharacter(typed: number[]): void {
  while (((typed.at(-1) ?? 0) & 0xc0) === 0x80) typed.pop();
  typed.pop();
}
