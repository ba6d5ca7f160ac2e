"""What simulated people do: one class to a kind of group."""
