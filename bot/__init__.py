"""The process: settings, composition root, ingress, consumers, deadlines, telemetry."""

VERSION = "0.1.0"
"""Version of the program, as in pyproject.toml."""
