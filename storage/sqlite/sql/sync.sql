-- name: view
-- One room as one person sees it; the columns are those of list_for in rooms.sql.
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

-- name: receipts
SELECT room_id, user_id, read_seq, delivered_seq FROM members WHERE room_id = :room_id
