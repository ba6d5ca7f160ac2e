"""HTTP: the API of WIRE.md §2, its reference, and the web app. `routes.py` is the one list of endpoints."""
