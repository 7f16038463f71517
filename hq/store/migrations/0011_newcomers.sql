-- Who became a member at a store's kiosk. phone is a keyed hash of the number: a number that was confirmed is one person.
CREATE TABLE contact (
  member       TEXT PRIMARY KEY,
  store        TEXT NOT NULL,
  at           INTEGER NOT NULL,
  phone        BLOB NOT NULL,
  masked       TEXT NOT NULL,                    -- "138****5678", for people
  confirmed    INTEGER NOT NULL DEFAULT 0,       -- when staff made sure of the number; 0: nobody has
  confirmed_by TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_phone ON contact(phone);

-- The key of these hashes, one row.
CREATE TABLE phone_key (
  id    INTEGER PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- What stores called a member before it was known that it is one person.
CREATE TABLE member_was (
  was    TEXT PRIMARY KEY,
  member TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX member_was_member ON member_was(member);

-- Every yes and no to a purpose, with the words that it was given to.
CREATE TABLE consent_word (
  id      INTEGER PRIMARY KEY,
  member  TEXT NOT NULL,
  purpose TEXT NOT NULL,
  given   INTEGER NOT NULL,                      -- 1 yes, 0 no
  at      INTEGER NOT NULL,
  wording TEXT NOT NULL,                         -- version of the words
  store   TEXT NOT NULL
) STRICT;
CREATE INDEX consent_word_member ON consent_word(member, at);
