-- name: get
SELECT room_id, user_id, role, joined_at_ms, read_seq, delivered_seq, muted_until_ms, notify
FROM members WHERE room_id = :room_id AND user_id = :user_id

-- name: update
UPDATE members SET role = :role, muted_until_ms = :muted_until_ms, notify = :notify
WHERE room_id = :room_id AND user_id = :user_id

-- name: insert
INSERT INTO members (room_id, user_id, role, joined_at_ms, read_seq, delivered_seq, muted_until_ms, notify)
SELECT id, :user_id, :role, :joined_at_ms, last_seq, last_seq, :muted_until_ms, :notify FROM rooms WHERE id = :room_id

-- name: insert_first
INSERT INTO members (room_id, user_id, role, joined_at_ms, muted_until_ms, notify)
VALUES (:room_id, :user_id, :role, :joined_at_ms, :muted_until_ms, :notify)

-- name: delete
DELETE FROM members WHERE room_id = :room_id AND user_id = :user_id

-- name: count
UPDATE rooms SET member_count = member_count + :change WHERE id = :room_id

-- name: list
SELECT m.room_id, m.user_id, m.role, m.joined_at_ms, m.read_seq, m.delivered_seq, m.muted_until_ms, m.notify,
    u.id, u.name, u.role, u.avatar_url, u.tz, u.locale
FROM members AS m LEFT JOIN users AS u ON u.id = m.user_id
WHERE m.room_id = :room_id AND m.user_id > :after
ORDER BY m.user_id
LIMIT :limit

-- name: shared
-- From the rooms of each other person, because the asker may be a teacher with a thousand of them.
SELECT other.value FROM json_each(:other_ids) AS other
WHERE EXISTS (
    SELECT 1 FROM members AS theirs CROSS JOIN members AS mine
    WHERE theirs.user_id = other.value AND mine.room_id = theirs.room_id AND mine.user_id = :user_id
)

-- name: among
SELECT user_id FROM members WHERE room_id = :room_id AND user_id IN (SELECT value FROM json_each(:user_ids))
