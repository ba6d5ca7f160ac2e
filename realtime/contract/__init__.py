"""What crosses the wire: pydantic models of every event, their registry, and AsyncAPI."""
