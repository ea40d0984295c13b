"""The use cases: one class per area, verbs as methods."""
