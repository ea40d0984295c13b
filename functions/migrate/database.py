"""The two steps of a migration: dbmate's, and the login role of the functions."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

# What the functions' login may do is granted to this role, in the migrations.
_APPLICATION = sql.Identifier("chatconnect_app")


@dataclass(frozen=True, slots=True)
class Login:
    """A role of the database; `repr` does not show its password."""

    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)

    def url(self, *, tls: str = "require") -> str:
        """Return a libpq URL; `tls` is its sslmode."""
        who = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"postgres://{who}@{self.host}:{self.port}/{quote(self.database, safe='')}?sslmode={tls}"


class MigrationFailed(Exception):
    """dbmate is missing, or stopped, and the message is what it printed; migrations before the failed one stay."""


def apply_migrations(owner: Login, folder: Path, *, tls: str = "require") -> str:
    """Apply the migrations that are new, in order, each in a transaction; return what dbmate printed.

    A paused database gets a minute to wake up. Raises MigrationFailed.
    """
    program = shutil.which("dbmate")  # a layer puts it on PATH
    if program is None:
        raise MigrationFailed("there is no dbmate on PATH")
    finished = subprocess.run(
        [program, "--no-dump-schema", "--migrations-dir", str(folder), "--wait", "--wait-timeout", "60s", "up"],
        env={"DATABASE_URL": owner.url(tls=tls)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise MigrationFailed(finished.stderr.strip())
    return finished.stdout.strip()


def set_application_password(owner: Login, application: Login, *, tls: str = "require") -> None:
    """Create the functions' login role or give it its present password; it can do what chatconnect_app may."""
    role, password = sql.Identifier(application.username), sql.Literal(application.password)
    with psycopg.connect(owner.url(tls=tls)) as connection:
        known = connection.execute(
            "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [application.username]
        ).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(role, _APPLICATION))
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))
