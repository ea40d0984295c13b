"""The embedded stack of a developer's machine: its services and the local entry points."""
