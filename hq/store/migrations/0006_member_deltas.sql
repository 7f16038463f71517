-- What leads from each version of the members' snapshot to the next, so that a store that has an older one need not be sent
-- all of them. digest is that of all members of the version; body is JSON of wire.DeltaBody, empty where nothing leads here.
CREATE TABLE members_delta (
  version INTEGER PRIMARY KEY,
  digest  BLOB NOT NULL,
  body    BLOB NOT NULL
) STRICT;
