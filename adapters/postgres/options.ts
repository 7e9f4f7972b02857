/** What an adapter for PostgreSQL can be told. */
export interface PostgresOptions {
  /** Folders with client programs, before those of the system; one `*` in a name stands for any folder. */
  readonly toolFolders: readonly string[];
}
