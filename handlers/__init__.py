"""The Telegram face: turns updates into commands of games, and states of games into messages."""
