"""The Socket.IO server: python-socketio with bounded queues and a short fan-out. Only here are its internals known."""
