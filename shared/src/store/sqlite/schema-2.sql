-- Version 2: when the user consented, what is raised to an operator, and pending revocations by what they revoke.

ALTER TABLE credentials ADD COLUMN granted_at INTEGER;

-- What has been seen of each alarm, as JSON.
CREATE TABLE alarms (
    key   TEXT PRIMARY KEY,
    alarm TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Of one version there may be two sets of tokens, after a process was frozen past its lease.
ALTER TABLE pending_revocations RENAME TO pending_revocations_1;
CREATE TABLE pending_revocations (
    credential_id TEXT NOT NULL,
    version       INTEGER NOT NULL,
    mark          TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    provider      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    access        TEXT,
    refresh       TEXT,
    next_try_at   INTEGER NOT NULL,
    give_up_at    INTEGER NOT NULL,
    PRIMARY KEY (credential_id, version, mark)
) STRICT;
INSERT INTO pending_revocations
    SELECT credential_id, version,
        replace(replace(replace(replace(replace(
            substr(coalesce(refresh, access, ''), -16), '_', '-'), '.', '-'), '/', '-'), '+', '-'), '=', '-'),
        connection_id, tenant_id, provider, kind, access, refresh, next_try_at, give_up_at
    FROM pending_revocations_1;
DROP TABLE pending_revocations_1;
CREATE INDEX pending_revocations_due ON pending_revocations (next_try_at);
CREATE INDEX pending_revocations_connection ON pending_revocations (connection_id);
CREATE INDEX pending_revocations_tenant ON pending_revocations (tenant_id);
