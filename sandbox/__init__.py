"""Offline Telegram: a Bot API server, a web page that plays any number of people, and simulated players."""
