"""Telegram's Bot API: the client, the outbox, the sender, and the limits on sending."""
