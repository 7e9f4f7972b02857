/** What a run is asked to do: the resolved job, which is journaled as its input. It holds references, never secrets. */
import type { Address, Selection } from "../adapters/adapter.ts";
import type { Codec } from "../streams/codec.ts";

/** Where a secret is to be had when a run needs it. */
export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] }
  | { readonly ask: string };

/** A database as a job names it: its address, and where its password is to be had. */
export type Database = Address & {
  /** Absent where the server wants no password. */
  readonly password?: SecretReference;
};

/** For whom artifacts are encrypted. */
export type Encryption =
  | { readonly mode: "none" }
  /** age recipients (`age1…`): this host needs no secret. */
  | { readonly mode: "recipients"; readonly recipients: readonly string[] }
  /** A passphrase protects an identity that is generated for the artifact and stored beside it. */
  | { readonly mode: "passphrase"; readonly passphrase: SecretReference };

/** How the label was found: a derived one is never moved to another database. */
export type LabelOrigin = "derived" | "given" | "configured";

/** The job of a `backup` run. */
export type BackupJob = {
  readonly label: string;
  readonly labelOrigin: LabelOrigin;
  readonly source: Database;
  /** The store's URL. */
  readonly store: string;
  readonly codec: Codec;
  readonly level: number;
  readonly encryption: Encryption;
  readonly selection: Selection;
  /** Stored bytes after which a part ends; null lets the size of the database decide. */
  readonly partBytes: number | null;
};

/** The job of a `restore` run. */
export type RestoreJob = {
  /** The store's URL. */
  readonly store: string;
  /** The key of the manifest in the store. */
  readonly manifest: string;
  readonly target: Database;
  readonly overwrite: boolean;
  /** True when owners and rights of the dump are left out. */
  readonly withoutOwners?: boolean;
  readonly selection: Selection;
  /** Files with age identities. */
  readonly identities: readonly string[];
  readonly passphrase: SecretReference | null;
};

/** The job of a `verify` run. */
export type VerifyJob = {
  readonly store: string;
  readonly manifest: string;
  /** Also decode everything and check the plain hash. */
  readonly readData: boolean;
  readonly identities: readonly string[];
  readonly passphrase: SecretReference | null;
};
