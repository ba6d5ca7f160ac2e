"""What an operator has to mend before a store can open.

StoreError    the store cannot be opened; its text is one readable line for standard error
"""


class StoreError(Exception):
    """A store cannot be opened or migrated. Raised at start only; later failures are `server.unavailable`."""
