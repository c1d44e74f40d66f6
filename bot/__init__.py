"""The process: settings, composition root, scheduler, announcer, sender, telemetry."""
