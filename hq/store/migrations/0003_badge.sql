-- revoked: since when a store may not come in; 0: it may. voided: badges that were given up to then are void for ever.
ALTER TABLE store ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN voided INTEGER NOT NULL DEFAULT 0;

-- One-time codes. At most one of a store is open.
CREATE TABLE code (
  sha256  BLOB PRIMARY KEY,                    -- of the code's secret
  store   TEXT NOT NULL REFERENCES store(id),
  made    INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  used    INTEGER NOT NULL DEFAULT 0,
  key     BLOB                                 -- SHA-256 of the public key that it was used for: its answer may be asked for again
) STRICT, WITHOUT ROWID;
CREATE INDEX code_store ON code(store);

-- Certificates that stores were given.
CREATE TABLE badge (
  serial  TEXT PRIMARY KEY,                    -- hex
  store   TEXT NOT NULL REFERENCES store(id),
  issued  INTEGER NOT NULL,
  ends    INTEGER NOT NULL,                    -- as the certificate says
  until   INTEGER NOT NULL,                    -- accepted until then: earlier than ends once a newer one was shown
  shown   INTEGER NOT NULL DEFAULT 0,          -- when it was first used
  revoked INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX badge_store ON badge(store);
