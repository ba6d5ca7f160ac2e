-- name: add
INSERT INTO service_keys (name, key_hash) VALUES (:name, :key_hash)
ON CONFLICT (name) DO UPDATE SET key_hash = excluded.key_hash

-- name: find
SELECT name FROM service_keys WHERE key_hash = :key_hash
