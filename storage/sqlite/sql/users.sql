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

-- name: introduce
WITH new (id, name, role, avatar_url, tz, locale, name_folded, id_folded) AS (
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) /* repeated */
)
INSERT INTO users (id, name, role, avatar_url, tz, locale, name_folded, id_folded)
SELECT * FROM new WHERE id IS NOT NULL
ON CONFLICT (id) DO NOTHING

-- name: standings
WITH asked (place, user_id) AS (VALUES (?, ?) /* repeated */)
SELECT json_group_array(json_array(a.place, t.valid_after_ms, u.id, u.name, u.role, u.avatar_url, u.tz, u.locale))
FROM asked AS a
LEFT JOIN users AS u ON u.id = a.user_id
LEFT JOIN token_cutoffs AS t ON t.user_id = a.user_id
WHERE a.place IS NOT NULL

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
