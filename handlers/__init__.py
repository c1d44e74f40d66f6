"""Telegram's face: updates become commands, states become messages."""
