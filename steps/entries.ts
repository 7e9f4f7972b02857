/** Lists the folders of a store to their end, however many pages that takes. */
import type { Entry, Store } from "../storage/storage.ts";

/** What is asked for at once: a local folder is read anew for each page, and a remote store gives what it can. */
const PAGE_ENTRIES = 10_000;

/** The entries directly in a folder, in ascending order of their names. */
export async function* entriesOf(store: Store, folder: string, signal?: AbortSignal): AsyncGenerator<Entry> {
  let after: string | undefined;
  do {
    const page = await store.list(folder, {
      signal,
      limit: PAGE_ENTRIES,
      ...(after === undefined ? {} : { after }),
    });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}

/** The names directly in a folder. */
export async function* namesIn(store: Store, folder: string, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const entry of entriesOf(store, folder, signal)) yield entry.name;
}

/** The labels of a store: the folders at its top. */
export async function labelsOf(store: Store, signal?: AbortSignal): Promise<string[]> {
  const labels: string[] = [];
  for await (const entry of entriesOf(store, "", signal)) {
    if (entry.kind === "folder") labels.push(entry.name);
  }
  return labels;
}
