-- name: insert
INSERT INTO rooms (id, unique_key, kind, title, created_by, created_at_ms, member_count, archived, settings, last_activity_ms)
VALUES (:id, :unique_key, :kind, :title, :created_by, :created_at_ms, :member_count, :archived, :settings, :last_activity_ms)

-- name: get
SELECT id, kind, title, created_by, created_at_ms, last_seq, rev, member_count, archived, settings, last_activity_ms
FROM rooms WHERE id = :id

-- name: get_by_unique_key
SELECT id, kind, title, created_by, created_at_ms, last_seq, rev, member_count, archived, settings, last_activity_ms
FROM rooms WHERE unique_key = :unique_key

-- name: access
WITH asked (place, room_id, user_id) AS (VALUES (?, ?, ?) /* repeated */)
SELECT json_group_array(json_array(
    a.place,
    r.id, r.kind, r.title, r.created_by, r.created_at_ms, r.last_seq, r.rev, r.member_count, r.archived, r.settings,
    r.last_activity_ms,
    m.room_id, m.user_id, m.role, m.joined_at_ms, m.read_seq, m.delivered_seq, m.muted_until_ms, m.notify
))
FROM asked AS a
CROSS JOIN rooms AS r ON r.id = a.room_id
LEFT JOIN members AS m ON m.room_id = a.room_id AND m.user_id = a.user_id

-- name: update
UPDATE rooms SET title = :title, archived = :archived, settings = :settings, rev = rev + 1 WHERE id = :id
RETURNING id, kind, title, created_by, created_at_ms, last_seq, rev, member_count, archived, settings, last_activity_ms

-- name: list_for
-- The page is cut on three narrow columns first; everything else is looked up for its rows only.
WITH page AS MATERIALIZED (
    SELECT coalesce(r.last_activity_ms, r.created_at_ms) AS activity_ms, r.id AS room_id
    FROM members AS m CROSS JOIN rooms AS r
    WHERE m.user_id = :user_id AND r.id = m.room_id AND (:kind IS NULL OR r.kind = :kind)
        AND (coalesce(r.last_activity_ms, r.created_at_ms), r.id) < (:before_ms, :before_id)
    ORDER BY activity_ms DESC, room_id DESC
    LIMIT :limit
)
SELECT r.id, r.kind, r.title, r.created_by, r.created_at_ms, r.last_seq, r.rev, r.member_count, r.archived, r.settings,
    r.last_activity_ms,
    m.room_id, m.user_id, m.role, m.joined_at_ms, m.read_seq, m.delivered_seq, m.muted_until_ms, m.notify,
    g.id, g.room_id, g.seq, g.rev, g.sender_id, g.client_id, g.kind, g.body, g.created_at_ms, g.reply_to, g.mentions,
    g.reactions, g.edited_at_ms, g.deleted_at_ms,
    u.id, u.name, u.role, u.avatar_url, u.tz, u.locale
FROM page
CROSS JOIN rooms AS r ON r.id = page.room_id
CROSS JOIN members AS m ON m.room_id = page.room_id AND m.user_id = :user_id
LEFT JOIN messages AS g ON g.room_id = page.room_id AND g.seq = r.last_seq
LEFT JOIN users AS u ON r.kind = 'direct' AND u.id = (
    SELECT peer.user_id FROM members AS peer WHERE peer.room_id = page.room_id AND peer.user_id <> :user_id
)
ORDER BY page.activity_ms DESC, page.room_id DESC

-- name: view
-- One room as one person sees it; the columns are those of list_for.
SELECT r.id, r.kind, r.title, r.created_by, r.created_at_ms, r.last_seq, r.rev, r.member_count, r.archived, r.settings,
    r.last_activity_ms,
    m.room_id, m.user_id, m.role, m.joined_at_ms, m.read_seq, m.delivered_seq, m.muted_until_ms, m.notify,
    g.id, g.room_id, g.seq, g.rev, g.sender_id, g.client_id, g.kind, g.body, g.created_at_ms, g.reply_to, g.mentions,
    g.reactions, g.edited_at_ms, g.deleted_at_ms,
    u.id, u.name, u.role, u.avatar_url, u.tz, u.locale
FROM rooms AS r
LEFT JOIN members AS m ON m.room_id = r.id AND m.user_id = :user_id
LEFT JOIN messages AS g ON g.room_id = r.id AND g.seq = r.last_seq
LEFT JOIN users AS u ON r.kind = 'direct' AND u.id = (
    SELECT peer.user_id FROM members AS peer WHERE peer.room_id = r.id AND peer.user_id <> :user_id
)
WHERE r.id = :room_id

-- name: reach
-- What everybody asks for who comes in: place, live rooms, small rooms.
WITH asked (place, user_id) AS (VALUES (?, ?) /* repeated */)
SELECT json_group_array(json_array(
    a.place,
    json((SELECT json_group_array(id) FROM (
        SELECT r.id FROM members AS m CROSS JOIN rooms AS r
        WHERE m.user_id = a.user_id AND r.id = m.room_id AND r.archived = 0
            AND r.kind IN (SELECT value FROM json_each(:kinds))
        ORDER BY coalesce(r.last_activity_ms, r.created_at_ms) DESC, r.id DESC LIMIT :live_limit
    ))),
    json((SELECT json_group_array(id) FROM (
        SELECT r.id FROM members AS m CROSS JOIN rooms AS r
        WHERE m.user_id = a.user_id AND r.id = m.room_id AND r.archived = 0 AND r.member_count <= :max_members
        ORDER BY coalesce(r.last_activity_ms, r.created_at_ms) DESC, r.id DESC LIMIT :small_limit
    )))
))
FROM asked AS a WHERE a.place IS NOT NULL

-- name: small_ids
SELECT r.id FROM members AS m CROSS JOIN rooms AS r
WHERE m.user_id = :user_id AND r.id = m.room_id AND r.archived = 0 AND r.member_count <= :max_members
ORDER BY coalesce(r.last_activity_ms, r.created_at_ms) DESC, r.id DESC
LIMIT :limit
