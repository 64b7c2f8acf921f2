-- Where each line of what was read in a picture is: what is found by its words is opened there.

ALTER TABLE asset_text ADD COLUMN spots TEXT; -- JSON: [{page, box}, …], one for each line, NULL for what was not read so
