/** What can be set of the SQLite adapter. */
export interface SqliteOptions {
  /** How long the locks of other processes are waited for. */
  readonly lockLimitMilliseconds: number;
}
