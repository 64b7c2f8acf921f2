-- When each word of what is said in a recording is said: what is found by its words is opened there.

ALTER TABLE asset_text ADD COLUMN times TEXT; -- JSON: [[from, until], …] in milliseconds, NULL for what is read
