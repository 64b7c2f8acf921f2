-- In which language people say that a recording is spoken.

ALTER TABLE asset ADD COLUMN language TEXT; -- ISO 639
