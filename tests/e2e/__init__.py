"""Whole games over HTTP: the real bot, the sandbox's Bot API, real stores, and a simulated clock."""
