-- A shorter form belongs to a card: its longest form. NULL where that was not noted.
ALTER TABLE member_tag ADD COLUMN card BLOB;
-- 1: reported lost or stolen. Stores notice it, and greet nobody.
ALTER TABLE member_tag ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;

-- When a store changed a tag last: an older word that comes later, over a line that was down, changes nothing.
CREATE TABLE tag_word (
  hash BLOB PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What stores told of cards: bound, replaced, blocked, unbound; seen and handled are of lost ones that turned up.
CREATE TABLE card_event (
  id     INTEGER PRIMARY KEY,
  store  TEXT NOT NULL REFERENCES store(id),
  member TEXT NOT NULL,
  at     INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  who    TEXT NOT NULL DEFAULT '',               -- of staff
  proved TEXT NOT NULL DEFAULT '',               -- how it was made sure who got the card
  zone   TEXT NOT NULL DEFAULT '',
  late   INTEGER NOT NULL DEFAULT 0,             -- 1: another store's later word was here before, and stands
  gave   TEXT NOT NULL DEFAULT '[]',             -- JSON: hashes of the cards that were given out
  took   TEXT NOT NULL DEFAULT '[]'              -- JSON: of those that were blocked or taken back
) STRICT;
CREATE INDEX card_event_member ON card_event(member, at);
