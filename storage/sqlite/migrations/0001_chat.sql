-- Instants are milliseconds since the Unix epoch. Tables whose key is text are WITHOUT ROWID: the key is the table,
-- so that a room's messages lie together in seq order and a lookup by id is one descent.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    avatar_url TEXT,
    tz TEXT,
    locale TEXT,
    -- SQLite folds ASCII only; these are folded by Python.
    name_folded TEXT NOT NULL,
    id_folded TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_name ON users (name_folded, id);

-- Apart from users: a token can be voided, and someone be seen, before the user is known here.
CREATE TABLE token_cutoffs (
    user_id TEXT NOT NULL PRIMARY KEY,
    valid_after_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_seen (
    user_id TEXT NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh_families (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_families_by_user ON refresh_families (user_id);
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at_ms);

CREATE TABLE refresh_tokens (
    token_hash BLOB NOT NULL PRIMARY KEY,
    family_id TEXT NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);

CREATE TABLE service_keys (
    name TEXT NOT NULL PRIMARY KEY,
    key_hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_keys_by_hash ON service_keys (key_hash);

CREATE TABLE rooms (
    id TEXT NOT NULL PRIMARY KEY,
    unique_key TEXT,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0,
    rev INTEGER NOT NULL DEFAULT 0,
    member_count INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT '{}',
    last_activity_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rooms_by_unique_key ON rooms (unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE members (
    room_id TEXT NOT NULL REFERENCES rooms (id),
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_at_ms INTEGER NOT NULL,
    read_seq INTEGER NOT NULL DEFAULT 0,
    delivered_seq INTEGER NOT NULL DEFAULT 0,
    muted_until_ms INTEGER,
    notify TEXT NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id, room_id);

-- No foreign key to rooms: append takes the room's id from rooms in the same transaction.
CREATE TABLE messages (
    room_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    reply_to TEXT,
    mentions TEXT NOT NULL DEFAULT '[]',
    reactions TEXT NOT NULL DEFAULT '{}',
    edited_at_ms INTEGER,
    deleted_at_ms INTEGER,
    PRIMARY KEY (room_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE UNIQUE INDEX messages_by_rev ON messages (room_id, rev);
CREATE UNIQUE INDEX messages_by_client ON messages (room_id, sender_id, client_id);

CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    response BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);
