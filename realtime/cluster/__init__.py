"""How nodes hear of each other: one process needs only `local.py`."""
