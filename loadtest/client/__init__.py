"""The wire, as one simulated client sees it: Engine.IO v4 and Socket.IO v5 over websocket or polling, and HTTP."""
