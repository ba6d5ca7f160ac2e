"""Who you are and what you may do: tokens, principals, roles, policy, rate limits."""
