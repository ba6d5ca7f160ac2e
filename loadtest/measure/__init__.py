"""Latencies, counts and what the machines used."""
