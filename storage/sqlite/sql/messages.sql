-- name: get
SELECT id, room_id, seq, rev, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions, reactions,
    edited_at_ms, deleted_at_ms
FROM messages WHERE id = :id

-- name: get_by_client
SELECT id, room_id, seq, rev, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions, reactions,
    edited_at_ms, deleted_at_ms
FROM messages WHERE room_id = :room_id AND sender_id = :sender_id AND client_id = :client_id

-- name: next_rev
UPDATE rooms SET rev = rev + 1 WHERE id = :room_id RETURNING rev

-- name: change
UPDATE messages SET
    rev = :rev, body = :body, mentions = :mentions, reactions = :reactions, edited_at_ms = :edited_at_ms,
    deleted_at_ms = :deleted_at_ms
WHERE room_id = :room_id AND seq = :seq

-- name: page_forward
SELECT id, room_id, seq, rev, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions, reactions,
    edited_at_ms, deleted_at_ms
FROM messages WHERE room_id = :room_id AND seq > :after_seq
ORDER BY seq
LIMIT :limit

-- name: page_backward
SELECT id, room_id, seq, rev, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions, reactions,
    edited_at_ms, deleted_at_ms
FROM messages WHERE room_id = :room_id AND seq > :after_seq AND seq < :before_seq
ORDER BY seq DESC
LIMIT :limit

-- name: changed_since
SELECT id, room_id, seq, rev, sender_id, client_id, kind, body, created_at_ms, reply_to, mentions, reactions,
    edited_at_ms, deleted_at_ms
FROM messages WHERE room_id = :room_id AND rev > :since_rev
ORDER BY rev
LIMIT :limit
