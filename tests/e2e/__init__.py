"""Whole games over HTTP: the real bot against the sandbox's Bot API, on real stores, with a clock that tests turn."""
