"""Every suite here runs against the fake in memory and against Postgres, so that the fake stays honest."""

from tests.postgres import app_url, database, owner_url, postgres

__all__ = ["app_url", "database", "owner_url", "postgres"]
