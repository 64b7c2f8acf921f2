-- The full-text index. Derived: it can be dropped and made again from the tables of truth.
--
-- Both engines are given the same folded words (see heirloom-core's text), so both find the same.
-- A document is named by its asset's timeline key, so walking the index backwards is newest first.
-- What the words look like is written in search/document.rs. They come folded: SQLite's plainest
-- tokenizer cuts at spaces and leaves everything else alone, while one that knows Unicode would cut
-- by its own idea of letters.

/*lite
CREATE VIRTUAL TABLE search_index USING fts5 (
  words,
  content = '',
  contentless_delete = 1,
  prefix = '1 2 3 4 5',
  tokenize = "ascii tokenchars '_=@~#%'"
);
-- Each batch adds a part to the index. Merging four at a time, as is usual, writes every word again
-- so often that the last of a million costs over twice the first.
INSERT INTO search_index (search_index, rank) VALUES ('automerge', 16);
-- Shows the words that are in it, each with its document and place; holds nothing itself.
CREATE VIRTUAL TABLE search_words USING fts5vocab (search_index, instance);
*/
/*pg
CREATE TABLE search_index (
  timeline_key BIGINT NOT NULL PRIMARY KEY,
  words TSVECTOR NOT NULL
);
CREATE INDEX search_index_words ON search_index USING GIN (words);
*/
