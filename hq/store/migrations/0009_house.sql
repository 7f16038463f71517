-- What all headquarters that share this database must have in common: the chain's name, and fingerprints of its keys.
CREATE TABLE house (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
