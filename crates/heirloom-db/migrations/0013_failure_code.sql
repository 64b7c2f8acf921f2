-- Why a unit failed, as a word that failures are grouped by; the sentence beside it says more.

ALTER TABLE unit ADD COLUMN failure_code TEXT;
UPDATE unit SET failure_code = 'other' WHERE state = 'failed';
