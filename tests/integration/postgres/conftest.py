"""What only a real Postgres can show."""

from tests.postgres import app_url, database, owner_url, postgres

__all__ = ["app_url", "database", "owner_url", "postgres"]
