"""Measurements that the documents quote. Each module prints its figures: `python -m bench.<name>`."""
