"""A run: the coordinator, its worker processes, phases and the open schedule."""
