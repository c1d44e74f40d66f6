"""The dialogs: windows of buttons that one person walks through."""
