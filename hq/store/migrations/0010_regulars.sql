-- Whom a store knows of: who visited it, whom it asked for, whose home it is, who was marked for it. told is the beginning of the
-- SHA-256 of what the store's own roster says of the member; NULL: nothing yet. asked: an answer told the store, and no roster
-- since.
CREATE TABLE regular (
  store  TEXT NOT NULL REFERENCES store(id),
  member TEXT NOT NULL,
  seen   INTEGER NOT NULL DEFAULT 0,
  home   INTEGER NOT NULL DEFAULT 0,
  marked INTEGER NOT NULL DEFAULT 0,
  asked  INTEGER NOT NULL DEFAULT 0,
  told   BLOB,
  PRIMARY KEY (store, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX regular_member ON regular(member);
INSERT INTO regular (store, member, seen) SELECT store, member, max(started) FROM visit GROUP BY store, member;

-- A store's own roster, where not all members go to all stores. changes counts what must reach the store soon, fresh the
-- members who are new to it; the last two columns are what of these the version holds.
CREATE TABLE roster (
  store   TEXT PRIMARY KEY REFERENCES store(id),
  changes INTEGER NOT NULL DEFAULT 0,
  fresh   INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,            -- 0: none was made
  digest  BLOB,
  members INTEGER NOT NULL DEFAULT 0,
  key     TEXT NOT NULL DEFAULT '',              -- id of the key that signs it
  made_at INTEGER NOT NULL DEFAULT 0,
  made_changes INTEGER NOT NULL DEFAULT 0,
  made_fresh   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What leads from each version of a store's roster to the next, as members_delta.
CREATE TABLE roster_step (
  store   TEXT NOT NULL REFERENCES store(id),
  version INTEGER NOT NULL,
  digest  BLOB NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (store, version)
) STRICT, WITHOUT ROWID;

-- The filter of known tags, and the list of those that came since: what stores fetch, by its SHA-256.
CREATE TABLE known_file (
  digest  BLOB PRIMARY KEY,
  version INTEGER NOT NULL,                      -- of the last snapshot of kind known that names it
  body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO content VALUES ('known', 0);
