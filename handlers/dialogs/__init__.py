"""The dialogs: messages with buttons that guide one person through several steps."""
