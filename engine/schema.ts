/**
 * The tables of `control.db`. `PRAGMA user_version` counts the entries of {@linkcode MIGRATIONS} that a file has;
 * an entry that was released is never changed.
 */

/** Statements that lead from each version of the schema to the next. */
export const MIGRATIONS: readonly string[] = [`
-- The hot row of a run: everything that is asked for often, or written while it runs.
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  workflow TEXT NOT NULL,
  version INTEGER NOT NULL,
  label TEXT NOT NULL,
  -- 'running' without a live owner means interrupted; 'interrupted' is written by an owner that stopped in order.
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'running', 'interrupted', 'stuck', 'failed', 'done', 'cancelled')),
  -- The fence: raised by each process that takes the run, carried by each of its writes.
  generation INTEGER NOT NULL DEFAULT 0,
  -- Automatic recoveries since the last finished step, and how many steps were finished at the latest of them.
  recoveries INTEGER NOT NULL DEFAULT 0,
  finished_at_recovery INTEGER NOT NULL DEFAULT 0,
  stopped_by TEXT CHECK (stopped_by IN ('person', 'shutdown')),
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  locks TEXT NOT NULL,
  owner_pid INTEGER,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  error_code TEXT,
  error_message TEXT,
  error_hint TEXT
) STRICT;
CREATE INDEX run_newest ON run (created_ms DESC, id DESC);
CREATE INDEX run_unfinished ON run (created_ms DESC, id DESC) WHERE status NOT IN ('done', 'cancelled');

-- What is written once and seldom read.
CREATE TABLE run_data (
  run TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
  input TEXT NOT NULL,
  output TEXT,
  -- The steps of a run that ended, added up by stage.
  stages TEXT
) STRICT;

-- One row a step, so that starting and ending it touch one page each.
CREATE TABLE step (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'waiting', 'failed', 'done')),
  attempts INTEGER NOT NULL,
  -- Errors thrown since the budget was last fresh.
  errors INTEGER NOT NULL DEFAULT 0,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  wake_ms INTEGER,
  busy_ms INTEGER NOT NULL DEFAULT 0,
  progress INTEGER NOT NULL DEFAULT 0,
  total INTEGER,
  result TEXT,
  error_code TEXT,
  error_message TEXT,
  error_hint TEXT,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
`];
