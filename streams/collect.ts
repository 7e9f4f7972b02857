/**
 * Buffers that left a heap are only freed by its next collection, which V8 starts late because it hardly sees them.
 * Where the program was built with `--v8-flags=--expose-gc`, the data path asks for small collections itself.
 */

const gc: unknown = Reflect.get(globalThis, "gc");

/** A function to call with each number of bytes dropped; after every `everyBytes` it collects what is young. */
export function createCollector(everyBytes: number): (bytes: number) => void {
  let dropped = 0;
  return (bytes) => {
    dropped += bytes;
    if (dropped < everyBytes || typeof gc !== "function") return;
    dropped = 0;
    gc({ type: "minor" });
  };
}
