"""The Telegram side of the quiz."""
