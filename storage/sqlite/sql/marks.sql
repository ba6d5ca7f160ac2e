-- name: lookup
WITH asked (place, room_id, user_id) AS (VALUES (?, ?, ?) /* repeated */)
SELECT json_group_array(json_array(a.place, m.read_seq, m.delivered_seq, r.last_seq))
FROM asked AS a
CROSS JOIN members AS m ON m.room_id = a.room_id AND m.user_id = a.user_id
CROSS JOIN rooms AS r ON r.id = a.room_id

-- name: update
WITH new (room_id, user_id, read_seq, delivered_seq) AS (VALUES (?, ?, ?, ?) /* repeated */)
UPDATE members SET read_seq = new.read_seq, delivered_seq = new.delivered_seq
FROM new WHERE members.room_id = new.room_id AND members.user_id = new.user_id
