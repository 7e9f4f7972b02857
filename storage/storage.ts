/**
 * What every store offers: named objects, put whole, read by range, listed one folder level at a time.
 *
 * The contract is held by one conformance suite (`tests/conformance/store.ts`). Keys are relative paths of
 * segments `[A-Za-z0-9._-]+` joined by `/`; anything else (`..`, empty segments, absolute paths) is refused with
 * `refused`, because keys also come from manifests, which are not trusted.
 */

/** The content of an object to put: a finished file, or a few bytes. */
export type Content = { readonly file: string } | { readonly bytes: Uint8Array<ArrayBuffer> };

/** What a store knows of an object. */
export interface ObjectStat {
  /** Its size. */
  readonly bytes: number;
  /** When it was last written. */
  readonly modifiedAt: Date;
  /** SHA-256 in lower-case hexadecimal where the store can tell it without reading the object, else undefined. */
  readonly sha256?: string | undefined;
}

/** One entry of a folder. */
export type Entry =
  | { readonly kind: "object"; readonly name: string; readonly bytes: number }
  | { readonly kind: "folder"; readonly name: string };

/** One page of a listing. */
export interface Page {
  /** In ascending order of their names. */
  readonly entries: readonly Entry[];
  /** Give this as `after` to get the next page; undefined on the last. */
  readonly next?: string | undefined;
}

/** What a store can and cannot do, where callers must know. */
export interface Capabilities {
  /**
   * A folder on the same file system as the store, in which a caller may make a file that `put` then publishes
   * without copying it. Its content is the caller's to remove. Undefined for remote stores.
   */
  readonly staging?: string | undefined;
  /** A file that can be read directly instead of downloading the object, or undefined. */
  readonly path?: ((key: string) => string) | undefined;
}

/** How a call is made. */
export interface CallOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/** A place that keeps artifacts. */
export interface Store {
  /** The address as a person would write it, without credentials. */
  readonly url: string;
  /** What callers must know of it. */
  readonly capabilities: Capabilities;
  /**
   * Puts a whole object durably: when it resolves, the object and its name survive a power loss.
   *
   * `create` never replaces: when the key exists with the same bytes it resolves to `"same"` (the outcome of a
   * lost reply or of a crash before the journal), with other bytes it throws `exists`. `replace` is atomic: a
   * reader sees the old object or the new one. A file given as content is left where it is and may be shared with
   * the store (a hard link), so it must not be written to afterwards.
   */
  put(
    key: string,
    content: Content,
    mode: "create" | "replace",
    options?: CallOptions,
  ): Promise<"created" | "same">;
  /**
   * Reads `length` bytes from `offset`, or to the end. Throws `not_found`; a range that begins behind the end
   * gives an empty stream. The stream fails rather than ends early when the connection breaks.
   */
  get(
    key: string,
    options?: CallOptions & { readonly offset?: number; readonly length?: number },
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Tells size and time; undefined when there is no such object. */
  stat(key: string, options?: CallOptions): Promise<ObjectStat | undefined>;
  /**
   * One page of the entries directly in `folder` (`""` is the root), in ascending order of their names' bytes, beginning
   * behind `after`. A folder that does not exist is empty. Names that a key cannot have are left out.
   */
  list(
    folder: string,
    options?: CallOptions & { readonly after?: string; readonly limit?: number },
  ): Promise<Page>;
  /** Deletes an object; no error when it is gone. A folder that it leaves empty goes too. */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** Closes connections. */
  close(): Promise<void>;
}
