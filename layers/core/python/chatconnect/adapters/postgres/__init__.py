"""Postgres, the truth: one module per port, each with its own statements."""
