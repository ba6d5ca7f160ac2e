-- name: get
SELECT id, name, role, avatar_url, tz, locale FROM users WHERE id = :id

-- name: get_many
SELECT id, name, role, avatar_url, tz, locale FROM users WHERE id IN (SELECT value FROM json_each(:ids))

-- name: put
INSERT INTO users (id, name, role, avatar_url, tz, locale, name_folded, id_folded)
VALUES (:id, :name, :role, :avatar_url, :tz, :locale, :name_folded, :id_folded)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, role = excluded.role, avatar_url = excluded.avatar_url,
    tz = excluded.tz, locale = excluded.locale, name_folded = excluded.name_folded

-- name: search
SELECT id, name, role, avatar_url, tz, locale FROM users
WHERE (name_folded, id) > (:after_name, :after_id)
    AND (instr(name_folded, :query) > 0 OR instr(id_folded, :query) > 0)
ORDER BY name_folded, id
LIMIT :limit

-- name: valid_after
SELECT valid_after_ms FROM token_cutoffs WHERE user_id = :user_id

-- name: set_valid_after
INSERT INTO token_cutoffs (user_id, valid_after_ms) VALUES (:user_id, :instant_ms)
ON CONFLICT (user_id) DO UPDATE SET valid_after_ms = max(valid_after_ms, excluded.valid_after_ms)

-- name: last_seen
SELECT user_id, at_ms FROM last_seen WHERE user_id IN (SELECT value FROM json_each(:user_ids))

-- name: set_last_seen
INSERT INTO last_seen (user_id, at_ms) VALUES (:user_id, :instant_ms)
ON CONFLICT (user_id) DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)
