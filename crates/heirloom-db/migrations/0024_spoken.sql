-- When each word of what is said in a recording begins: what is found by its words is opened there.

ALTER TABLE asset_text ADD COLUMN times TEXT; -- JSON array of milliseconds, NULL for what is read
