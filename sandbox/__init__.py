"""Telegram's side, offline: a Bot API server, a page on which one person is many, and simulated players."""
