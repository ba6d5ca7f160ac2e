"""The Socket.IO server: python-socketio with its queues bounded and its fan-out short. Only here are its internals known."""
