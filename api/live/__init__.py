"""Live updates: games and chats that clients watch, by WebSocket and by server-sent events."""
