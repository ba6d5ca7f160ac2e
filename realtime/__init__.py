"""The edge: Socket.IO and HTTP, and the composition root that joins everything."""
