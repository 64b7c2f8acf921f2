-- What was done to bring blobs to the places where they are kept.

CREATE TABLE store_move (
  began_at_ms BIGINT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
  blobs BIGINT NOT NULL, -- moved
  bytes BIGINT NOT NULL,
  waiting BIGINT NOT NULL, -- in use just then
  problems TEXT NOT NULL, -- JSON array of what stays where it is: blob, place and why
  error TEXT, -- one sentence, when it failed
  ended_at_ms BIGINT
);
