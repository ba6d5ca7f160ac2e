"""What a school would pick instead: small servers that implement the load contract (README.md)."""
