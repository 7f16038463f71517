-- Who was erased. who stands for the pseudonym (wire.Erased): a record that comes late, or a file that names it again, must not
-- bring the person back. member is the pseudonym, until it is taken out of the last record.
CREATE TABLE erasure (
  number INTEGER PRIMARY KEY,
  who    BLOB NOT NULL,
  member TEXT NOT NULL DEFAULT '',
  at     INTEGER NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX erasure_who ON erasure(who);

-- What stores gave in return: nothing of the person is left there.
CREATE TABLE erasure_receipt (
  number INTEGER NOT NULL,
  store  TEXT NOT NULL REFERENCES store(id),
  at     INTEGER NOT NULL,
  PRIMARY KEY (number, store)
) STRICT, WITHOUT ROWID;

-- One row: the chain's salt for erasure.who.
CREATE TABLE erasure_salt (
  salt BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO content VALUES ('erasures', 0);
