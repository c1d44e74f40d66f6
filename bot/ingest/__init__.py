"""Receives updates: webhook, polling, and the dispatcher that both use."""
