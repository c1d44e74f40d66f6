"""Effects of the Bot API's methods on the world. Importing this package registers all of them."""

from sandbox.methods import chats, ephemeral, files, messages, polls, profile, queries, receiving

__all__ = ["chats", "ephemeral", "files", "messages", "polls", "profile", "queries", "receiving"]
