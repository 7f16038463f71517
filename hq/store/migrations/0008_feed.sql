-- The order in which integrators see records: runs of one lane, numbered as they are found stored. Numbers have no gap between runs.
CREATE TABLE feed (
  start INTEGER PRIMARY KEY,                    -- number of the run's first record
  store TEXT NOT NULL REFERENCES store(id),
  epoch TEXT NOT NULL,
  lane  TEXT NOT NULL,
  first INTEGER NOT NULL,                       -- sequences of the run in its lane
  last  INTEGER NOT NULL
) STRICT;

-- Up to where each lane is numbered.
CREATE TABLE fed (
  store TEXT NOT NULL REFERENCES store(id),
  epoch TEXT NOT NULL,
  lane  TEXT NOT NULL,
  upto  INTEGER NOT NULL,
  PRIMARY KEY (store, epoch, lane)
) STRICT, WITHOUT ROWID;

-- The next number. Whoever numbers locks this row first, so that numbers become visible in their order.
CREATE TABLE feed_head (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  next INTEGER NOT NULL
) STRICT;
INSERT INTO feed_head (id, next) VALUES (1, 1);

-- How far each outlet has been told.
CREATE TABLE outlet (
  name  TEXT PRIMARY KEY,
  upto  INTEGER NOT NULL,
  at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
