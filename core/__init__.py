"""What every layer may use and nothing of ours may come before: ids, time, errors, paging."""
