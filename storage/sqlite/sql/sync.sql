-- name: receipts
SELECT room_id, user_id, read_seq, delivered_seq FROM members WHERE room_id = :room_id
