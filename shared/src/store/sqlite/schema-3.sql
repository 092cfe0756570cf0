-- Version 3: who caused an event, and in which request; unknown of what was written before.

ALTER TABLE events ADD COLUMN caused_by TEXT;
ALTER TABLE events ADD COLUMN request_id TEXT;
