"""What was promised and what arrived: stamps in messages, ledgers, and the audit that compares them."""
