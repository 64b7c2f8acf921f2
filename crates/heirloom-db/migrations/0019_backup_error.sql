-- Why something that was done with a repository failed, as a word for programs.

ALTER TABLE backup ADD COLUMN error_code TEXT;
