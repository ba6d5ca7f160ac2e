"""The chat domain: rooms, members, messages, receipts, presence, typing, sync. Knows no driver."""
