-- name: lookup
-- What numbering needs, as one value: every row that Python fetches costs the interpreter lock once.
WITH draft (place, room_id, sender_id, client_id) AS (VALUES (?, ?, ?, ?) /* repeated */)
SELECT json_group_array(json_array(d.place, r.last_seq, r.rev, m.read_seq, g.seq))
FROM draft AS d
CROSS JOIN rooms AS r ON r.id = d.room_id
LEFT JOIN members AS m ON m.room_id = d.room_id AND m.user_id = d.sender_id
LEFT JOIN messages AS g ON g.room_id = d.room_id AND g.sender_id = d.sender_id AND g.client_id = d.client_id

-- name: insert
WITH new (room_id, seq, rev, id, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions) AS (
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) /* repeated */
)
INSERT INTO messages (room_id, seq, rev, id, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions)
SELECT * FROM new WHERE room_id IS NOT NULL

-- name: advance_rooms
WITH new (id, last_seq, rev, last_activity_ms) AS (VALUES (?, ?, ?, ?) /* repeated */)
UPDATE rooms SET last_seq = new.last_seq, rev = new.rev, last_activity_ms = new.last_activity_ms
FROM new WHERE rooms.id = new.id

-- name: advance_senders
WITH new (room_id, user_id, seq) AS (VALUES (?, ?, ?) /* repeated */)
UPDATE members SET read_seq = new.seq, delivered_seq = new.seq
FROM new WHERE members.room_id = new.room_id AND members.user_id = new.user_id
