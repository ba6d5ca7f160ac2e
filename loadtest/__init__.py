"""An outside client that plays a school: `homeroom loadtest`. It knows the wire contract and nothing else."""
