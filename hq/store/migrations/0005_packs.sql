-- A version of a content pack, and which stores are to have it. The files are in a folder, by their digests.
CREATE TABLE release (
  pack      TEXT NOT NULL,
  version   INTEGER NOT NULL,
  percent   INTEGER NOT NULL,
  stores    TEXT NOT NULL,                       -- JSON: names
  now       INTEGER NOT NULL,                    -- 1: stores do not wait for their quiet hours
  files     TEXT NOT NULL,                       -- JSON of wire.PackFile
  created   INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (pack, version)
) STRICT, WITHOUT ROWID;

INSERT INTO content VALUES ('packs', 0);
