"""The HTTP API: the second face, on the same engine and the same access rules as Telegram's."""
