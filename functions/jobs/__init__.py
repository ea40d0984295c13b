"""Does scheduled and deferred work."""
