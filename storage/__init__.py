"""Durable adapters of the domain's ports. Every one of them passes tests/contract/."""
