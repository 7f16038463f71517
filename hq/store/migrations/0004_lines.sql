-- How a store's memory stands, as it told it last: JSON of wire.State.
ALTER TABLE store ADD COLUMN state TEXT NOT NULL DEFAULT '';
-- The newest record that the store has said it has in the lane.
ALTER TABLE watermark ADD COLUMN head INTEGER NOT NULL DEFAULT 0;
-- The epoch that this one goes on from: what the store repeats of any earlier one is left out.
ALTER TABLE watermark ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- Records that will never come: the store had lost them before headquarters had them, or headquarters lost them and the store
-- no longer holds them.
CREATE TABLE gap (
  store TEXT NOT NULL REFERENCES store(id),
  epoch TEXT NOT NULL,
  lane  TEXT NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  told  INTEGER NOT NULL,
  PRIMARY KEY (store, epoch, lane, first)
) STRICT, WITHOUT ROWID;
