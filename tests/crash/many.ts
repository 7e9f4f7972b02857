/** Does many cases, some at a time, and fails at the end with all that went wrong. */
import { AT_ONCE, tell } from "./settings.ts";

/** Does each case; a failure does not keep the others from being done. */
export async function each<T>(
  cases: Iterable<T>,
  name: (each: T) => string,
  work: (each: T) => Promise<void>,
  atOnce: number = AT_ONCE,
): Promise<void> {
  const failures: string[] = [];
  const queue = cases[Symbol.iterator]();
  let count = 0;
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      count++;
      try {
        await work(next.value);
      } catch (error) {
        const why = error instanceof Error ? error.stack ?? error.message : String(error);
        failures.push(`${name(next.value)}: ${why}`);
        tell(`FAILED ${name(next.value)}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${count} cases failed:\n${failures.join("\n")}`);
  }
  if (count === 0) throw new Error("there was no case");
}
