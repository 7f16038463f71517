-- What stores were asked to do, by whom, and what became of it.
CREATE TABLE command (
  id       TEXT PRIMARY KEY,
  number   INTEGER NOT NULL,                    -- grows; the version of the sealed command
  store    TEXT NOT NULL REFERENCES store(id),
  what     TEXT NOT NULL,
  args     TEXT NOT NULL,                       -- JSON of wire.Command
  asked_by TEXT NOT NULL,
  asked    INTEGER NOT NULL,
  expires  INTEGER NOT NULL,
  sent     INTEGER NOT NULL DEFAULT 0,          -- first
  again    INTEGER NOT NULL DEFAULT 0,          -- last
  state    TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'done', 'refused', 'failed', 'expired')),
  answered INTEGER NOT NULL DEFAULT 0,
  answer   TEXT NOT NULL DEFAULT ''             -- JSON of wire.Done
) STRICT, WITHOUT ROWID;
CREATE INDEX command_store ON command(store, number);
CREATE INDEX command_state ON command(state);

-- Files that commands brought, in pieces as they came.
CREATE TABLE result (
  command TEXT NOT NULL REFERENCES command(id) ON DELETE CASCADE,
  name    TEXT NOT NULL,
  start   INTEGER NOT NULL,                     -- of the piece in the file
  size    INTEGER NOT NULL,                     -- of the file
  sha256  TEXT NOT NULL,                        -- of the file
  data    BLOB NOT NULL,
  PRIMARY KEY (command, name, start)
) STRICT, WITHOUT ROWID;
