"""The real-time engine: Socket.IO v5 over Engine.IO v4, websockets by picows and polling by aiohttp, on one port."""
