-- Times are milliseconds since 1970 in UTC. 0 or NULL is "not yet".

CREATE TABLE store (
  id           TEXT PRIMARY KEY,
  name_zh      TEXT NOT NULL,
  name_en      TEXT NOT NULL,
  token_sha256 BLOB NOT NULL,
  created      INTEGER NOT NULL,
  last_seen    INTEGER NOT NULL DEFAULT 0,
  skew_ms      INTEGER,                        -- headquarters' clock minus the store's, when its last batch came
  behind_ms    INTEGER NOT NULL DEFAULT 0,     -- how old its newest record was when it came
  version      TEXT NOT NULL DEFAULT ''        -- of foyerd
) STRICT, WITHOUT ROWID;

-- The highest sequence of a lane below which nothing is missing. Moves in the transaction that stores the rows.
CREATE TABLE watermark (
  store TEXT NOT NULL REFERENCES store(id),
  epoch TEXT NOT NULL,
  lane  TEXT NOT NULL,
  upto  INTEGER NOT NULL,
  PRIMARY KEY (store, epoch, lane)
) STRICT, WITHOUT ROWID;

-- Everything that a store ever told, as it told it. The watermark drops duplicates; the key is the net below it.
CREATE TABLE record (
  store    TEXT NOT NULL REFERENCES store(id),
  epoch    TEXT NOT NULL,
  lane     TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  received INTEGER NOT NULL,
  body     BLOB NOT NULL,
  PRIMARY KEY (store, epoch, lane, seq)
) STRICT, WITHOUT ROWID;

-- What records say about visits, one row a visit.
CREATE TABLE visit (
  store      TEXT NOT NULL REFERENCES store(id),
  visit      TEXT NOT NULL,
  member     TEXT NOT NULL,
  zone       TEXT NOT NULL DEFAULT '',
  nth        INTEGER NOT NULL DEFAULT 0,
  started    INTEGER NOT NULL,
  ended      INTEGER NOT NULL DEFAULT 0,
  named      INTEGER NOT NULL DEFAULT 0,
  campaign   TEXT NOT NULL DEFAULT '',
  claimed_by TEXT NOT NULL DEFAULT '',
  claimed_at INTEGER NOT NULL DEFAULT 0,
  waited_s   INTEGER NOT NULL DEFAULT 0,
  served_at  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (store, visit)
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_started ON visit(started);

-- What became of each snapshot at each store.
CREATE TABLE applied (
  store   TEXT NOT NULL REFERENCES store(id),
  kind    TEXT NOT NULL,
  version INTEGER NOT NULL,
  state   TEXT NOT NULL CHECK (state IN ('applied', 'refused')),
  code    TEXT NOT NULL DEFAULT '',            -- why it was refused, in one stable word, and in detail
  why     TEXT NOT NULL DEFAULT '',
  at      INTEGER NOT NULL,
  PRIMARY KEY (store, kind, version)
) STRICT, WITHOUT ROWID;

-- A member as JSON of member.Member without its tags.
CREATE TABLE member (
  id      TEXT PRIMARY KEY,
  body    TEXT NOT NULL,
  updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- The keyed hashes of a member's tags. also = 1: a shorter form of a number, which readers of another make may report.
-- Two members may share a shorter form; then nobody is recognised by it.
CREATE TABLE member_tag (
  hash   BLOB NOT NULL,
  member TEXT NOT NULL REFERENCES member(id) ON DELETE CASCADE,
  also   INTEGER NOT NULL,
  PRIMARY KEY (hash, member)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_tag_own ON member_tag(hash) WHERE also = 0;
CREATE INDEX member_tag_member ON member_tag(member);

-- A campaign as written, and as it was last pushed.
CREATE TABLE campaign (
  id      TEXT PRIMARY KEY,
  state   TEXT NOT NULL CHECK (state IN ('draft', 'live', 'ended')),
  body    TEXT NOT NULL,
  live    TEXT,                                -- JSON as pushed, while live
  version INTEGER NOT NULL DEFAULT 0,          -- of the first snapshot that carries it as it is now live
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  pushed  INTEGER NOT NULL DEFAULT 0,
  ended   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Sealed snapshots, the newest few of each kind. revision is what of content they were made.
CREATE TABLE published (
  kind     TEXT NOT NULL,
  version  INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  sealed   BLOB NOT NULL,
  made_at  INTEGER NOT NULL,
  PRIMARY KEY (kind, version)
) STRICT, WITHOUT ROWID;

-- Counts changes of what is published, so that a change made before a crash is still published after it.
CREATE TABLE content (
  kind     TEXT PRIMARY KEY,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO content VALUES ('members', 0), ('campaigns', 0);
