-- name: get
SELECT request_hash, response FROM idempotency WHERE scope = :scope AND key = :key AND expires_at_ms > :now_ms

-- name: put
INSERT INTO idempotency (scope, key, request_hash, response, expires_at_ms)
VALUES (:scope, :key, :request_hash, :response, :expires_at_ms)
ON CONFLICT (scope, key) DO UPDATE SET
    request_hash = excluded.request_hash, response = excluded.response, expires_at_ms = excluded.expires_at_ms
WHERE expires_at_ms <= :now_ms

-- name: purge
DELETE FROM idempotency WHERE expires_at_ms <= :now_ms
