"""The migration step, against a real Postgres."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from functions.migrate.database import Login, MigrationFailed, apply_migrations, set_application_password
from infra.bundling import PROJECT
from local.services import Postgres, free_port

MIGRATIONS = PROJECT / "layers" / "core" / "migrations"


@pytest.fixture(scope="module")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Login]:
    async with Postgres(tmp_path_factory.mktemp("postgres"), free_port(), durable=False) as postgres:
        yield Login("127.0.0.1", postgres.port, "postgres", "postgres", "")


def application(owner: Login, password: str) -> Login:
    return Login(owner.host, owner.port, owner.database, "chatconnect_functions", password)


async def test_migrating_twice_applies_nothing_the_second_time(owner: Login) -> None:
    first = apply_migrations(owner, MIGRATIONS, tls="disable")
    second = apply_migrations(owner, MIGRATIONS, tls="disable")

    assert "0001_roles.sql" in first
    assert "0001_roles.sql" not in second


async def test_the_functions_login_works_and_cannot_pass_the_tenants_walls(owner: Login) -> None:
    apply_migrations(owner, MIGRATIONS, tls="disable")

    set_application_password(owner, application(owner, "it's a 'first' one"), tls="disable")
    set_application_password(owner, application(owner, "second"), tls="disable")

    with psycopg.connect(application(owner, "second").url(tls="disable")) as connection:
        assert connection.execute("SELECT count(*) FROM tenants").fetchone() == (0,)
        powers = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert powers == (False, False, False)


async def test_a_broken_migration_stops_the_deployment_and_shows_no_password(owner: Login, tmp_path: Path) -> None:
    (tmp_path / "9999_broken.sql").write_text("-- migrate:up\nSELECT nonsense;\n-- migrate:down\n")
    secretive = Login(owner.host, owner.port, owner.database, owner.username, "hush-hush")

    with pytest.raises(MigrationFailed, match="nonsense") as failure:
        apply_migrations(secretive, tmp_path, tls="disable")

    assert "hush-hush" not in str(failure.value)
    assert "hush-hush" not in repr(secretive)
