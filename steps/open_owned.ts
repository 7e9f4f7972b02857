/** Opens a store that closes its connections when the run leaves it. */
import type { Store } from "../storage/storage.ts";
import type { Environment } from "./environment.ts";

/** The store at `url`, for `await using`. */
export async function openOwned(environment: Environment, url: string): Promise<Store & AsyncDisposable> {
  const store = await environment.openStore(url);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}
