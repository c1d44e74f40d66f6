"""The process: settings, composition root, ingress, consumers, deadlines, telemetry."""
