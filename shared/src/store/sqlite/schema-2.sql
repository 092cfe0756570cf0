-- Version 2: when the user consented, and what is raised to an operator.

ALTER TABLE credentials ADD COLUMN granted_at INTEGER;

-- What has been seen of each alarm, as JSON.
CREATE TABLE alarms (
    key   TEXT PRIMARY KEY,
    alarm TEXT NOT NULL
) STRICT, WITHOUT ROWID;
