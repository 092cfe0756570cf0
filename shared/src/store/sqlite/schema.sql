-- Version 1. Times are milliseconds since 1970 in UTC; lists and maps are JSON; ids are text.

CREATE TABLE connections (
    id                  TEXT PRIMARY KEY,
    shard               INTEGER NOT NULL,
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    provider            TEXT NOT NULL,
    account_id          TEXT NOT NULL,
    team_id             TEXT,
    email               TEXT,
    requested_scopes    TEXT NOT NULL,
    status              TEXT NOT NULL,
    status_reason       TEXT,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    health              TEXT,
    health_error        TEXT,
    health_checked_at   INTEGER,
    revoked_at          INTEGER,
    revoked_by          TEXT,
    revoked_reason      TEXT,
    revoked_at_provider TEXT,
    next_probe_at       INTEGER NOT NULL
) STRICT;
-- One connection per account; also what a selection reads.
CREATE UNIQUE INDEX connections_place
    ON connections (tenant_id, user_id, provider, ifnull(team_id, ''), account_id);
CREATE INDEX connections_tenant ON connections (tenant_id, id);
CREATE INDEX connections_user ON connections (user_id, tenant_id, id);
CREATE INDEX connections_status ON connections (status, id);
CREATE INDEX connections_probe ON connections (shard, next_probe_at, id) WHERE status = 'active';

CREATE TABLE credentials (
    id                TEXT PRIMARY KEY,
    shard             INTEGER NOT NULL,
    tenant_id         TEXT NOT NULL,
    provider          TEXT NOT NULL,
    kind              TEXT NOT NULL,
    version           INTEGER NOT NULL,
    status            TEXT NOT NULL,
    status_reason     TEXT,
    access            TEXT,
    refresh           TEXT,
    scopes            TEXT NOT NULL,
    issued_at         INTEGER NOT NULL,
    expires_at        INTEGER,
    live_until        TEXT NOT NULL,
    next_refresh_at   INTEGER,
    last_refreshed_at INTEGER,
    failures          INTEGER NOT NULL,
    last_failure      TEXT,
    lease_owner       TEXT,
    lease_until       INTEGER,
    intent_at         INTEGER,
    grant_digest      TEXT NOT NULL,
    -- The data keys that seal the two tokens, as named in front of the ciphertext.
    access_key        TEXT,
    refresh_key       TEXT
) STRICT;
CREATE INDEX credentials_due ON credentials (shard, next_refresh_at, id)
    WHERE next_refresh_at IS NOT NULL AND status = 'active';
CREATE INDEX credentials_grant ON credentials (grant_digest);
CREATE INDEX credentials_tenant ON credentials (tenant_id);
CREATE INDEX credentials_access_key ON credentials (access_key, id) WHERE access_key IS NOT NULL;
CREATE INDEX credentials_refresh_key ON credentials (refresh_key, id, access_key)
    WHERE refresh_key IS NOT NULL;

-- Which connection uses which credential; position 0 is the default.
CREATE TABLE connection_credentials (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    position      INTEGER NOT NULL,
    PRIMARY KEY (connection_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_credentials_users
    ON connection_credentials (credential_id, connection_id, position);

-- Outlives its connection: the provider is told even when the tenant is gone.
CREATE TABLE pending_revocations (
    credential_id TEXT NOT NULL,
    version       INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    provider      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    access        TEXT,
    refresh       TEXT,
    next_try_at   INTEGER NOT NULL,
    give_up_at    INTEGER NOT NULL,
    PRIMARY KEY (credential_id, version)
) STRICT;
CREATE INDEX pending_revocations_due ON pending_revocations (next_try_at);
CREATE INDEX pending_revocations_connection ON pending_revocations (connection_id);
CREATE INDEX pending_revocations_tenant ON pending_revocations (tenant_id);

CREATE TABLE data_keys (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    active     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX data_keys_active ON data_keys (owner) WHERE active = 1;
CREATE INDEX data_keys_owner ON data_keys (owner, created_at);
CREATE INDEX data_keys_old ON data_keys (id) WHERE active = 0;

CREATE TABLE one_time (
    space      TEXT NOT NULL,
    id         TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (space, id)
) STRICT;
CREATE INDEX one_time_end ON one_time (expires_at);
CREATE INDEX one_time_tenant ON one_time (tenant_id);

CREATE TABLE events (
    seq           INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    tenant_id     TEXT,
    provider      TEXT,
    connection_id TEXT,
    credential_id TEXT,
    detail        TEXT
) STRICT;
CREATE INDEX events_time ON events (at);
CREATE INDEX events_tenant ON events (tenant_id, at) WHERE tenant_id IS NOT NULL;
CREATE INDEX events_connection ON events (connection_id, at) WHERE connection_id IS NOT NULL;
CREATE INDEX events_credential ON events (credential_id, at) WHERE credential_id IS NOT NULL;

CREATE TABLE served (
    connection_id TEXT NOT NULL,
    day           INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    PRIMARY KEY (connection_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX served_day ON served (day);

CREATE TABLE runs (
    job    TEXT PRIMARY KEY,
    report TEXT NOT NULL
) STRICT;

-- Counted as connections change, so that reading the counts costs the same however many there are.
CREATE TABLE tallies (
    provider TEXT NOT NULL,
    status   TEXT NOT NULL,
    health   TEXT NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (provider, status, health)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER connections_tally_insert AFTER INSERT ON connections BEGIN
    INSERT INTO tallies VALUES (new.provider, new.status, ifnull(new.health, ''), 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER connections_tally_delete AFTER DELETE ON connections BEGIN
    UPDATE tallies SET count = count - 1
        WHERE provider = old.provider AND status = old.status AND health = ifnull(old.health, '');
END;
CREATE TRIGGER connections_tally_update AFTER UPDATE OF provider, status, health ON connections
    WHEN old.provider <> new.provider OR old.status <> new.status OR old.health IS NOT new.health
BEGIN
    UPDATE tallies SET count = count - 1
        WHERE provider = old.provider AND status = old.status AND health = ifnull(old.health, '');
    INSERT INTO tallies VALUES (new.provider, new.status, ifnull(new.health, ''), 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
