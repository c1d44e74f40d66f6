"""Receives updates: webhook, polling, and the dispatcher behind both."""
