-- name: add_family
INSERT INTO refresh_families (id, user_id, expires_at_ms) VALUES (:family_id, :user_id, :expires_at_ms)

-- name: add_token
INSERT INTO refresh_tokens (token_hash, family_id, created_at_ms, expires_at_ms)
VALUES (:token_hash, :family_id, :created_at_ms, :expires_at_ms)

-- name: get
SELECT family_id, user_id, token.expires_at_ms, spent, revoked
FROM refresh_tokens AS token JOIN refresh_families AS family ON family.id = token.family_id
WHERE token_hash = :token_hash

-- name: spend
UPDATE refresh_tokens SET spent = 1 WHERE token_hash = :token_hash

-- name: prolong_family
UPDATE refresh_families SET expires_at_ms = max(expires_at_ms, :expires_at_ms) WHERE id = :family_id

-- name: revoke_family
UPDATE refresh_families SET revoked = 1 WHERE id = :family_id

-- name: revoke_user
UPDATE refresh_families SET revoked = 1 WHERE user_id = :user_id

-- name: purge
DELETE FROM refresh_families WHERE expires_at_ms < :before_ms
