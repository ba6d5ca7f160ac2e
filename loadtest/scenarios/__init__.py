"""Scenarios: TOML files, read into checked models."""
