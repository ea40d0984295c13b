"""What the product asks of Postgres, by the server's own log: each statement, how long it ran, and its plan."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql

from local.database import LOGIN_ROLE
from local.services import Postgres
from tests.waiting import until

_LOGGED = {
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "0",  # no value, so no text of anybody, in the log
    "log_line_prefix": "@%u %p ",
}
_ENTRY = re.compile(r"^(?=@)", re.MULTILINE)
_DURATION = re.compile(
    r"@(\S+) (\d+) LOG:  duration: ([\d.]+) ms  (?:statement|(parse|bind|execute) [^\n:]*): (.*)", re.DOTALL
)
_COLUMN = re.compile(r"\((?:\w+\.)?(\w+) (?:[<>=]|IS )")
_NEEDS_ALL = ("Sort", "Aggregate", "Hash", "Materialize")
_BY_INDEX = ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
_FRAME = re.compile(
    r"\s*(?:BEGIN|COMMIT|ROLLBACK|SELECT set_config\(|SELECT FROM \w+\s.* FOR NO KEY UPDATE)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that ran in a process of the server; `ms` is its own time there, parsing and planning included."""

    process: int
    text: str
    ms: float

    @property
    def is_frame(self) -> bool:
        """Whether it only frames what is asked for: whose transaction it is, what it locks, that it ends."""
        return _FRAME.match(self.text) is not None


class StatementLog:
    """The statements that the functions' role has run while `logged` was entered."""

    def __init__(self) -> None:
        self.ran: list[Ran] = []

    @property
    def own(self) -> list[Ran]:
        """Those that ask for something, without what frames transactions."""
        return [ran for ran in self.ran if not ran.is_frame]

    @property
    def transactions(self) -> int:
        """How many transactions there were, each with at least one round trip."""
        return sum(ran.text.lstrip().startswith("SELECT set_config(") for ran in self.ran)


@asynccontextmanager
async def logged(postgres: Postgres) -> AsyncIterator[StatementLog]:
    """Have the server log all statements, and read them at the end."""
    log = StatementLog()
    async with await AsyncConnection.connect(postgres.url, autocommit=True) as connection:
        await _configure(connection, {name: sql.SQL("TO {}").format(sql.Literal(_LOGGED[name])) for name in _LOGGED})
        begins = postgres.log.stat().st_size
        try:
            yield log
        finally:
            await _configure(connection, dict.fromkeys(_LOGGED, None))
    with postgres.log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begins)
        log.ran.extend(_parsed(file.read()))


async def plan(app_url: str, tenant_id: UUID, statement: str) -> dict[str, Any]:
    """Return a statement's generic plan as the functions' role gets it for a tenant."""
    async with await AsyncConnection.connect(app_url) as connection:
        await connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id)])
        explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}"
        result = connection.pgconn.exec_(explain.encode())
        value = result.get_value(0, 0)
        if value is None:
            raise psycopg.OperationalError(result.error_message)
        whole: dict[str, Any] = json.loads(value)[0]["Plan"]
        return whole


def scanned(node: dict[str, Any], *, bounded: bool = False) -> Iterator[str]:
    """Yield the tables that a plan reads as a whole, or all of a tenant's rows of, without a limit to how many."""
    kind, table = node["Node Type"], node.get("Relation Name")
    if kind == "Limit":
        bounded = True
    elif kind in _NEEDS_ALL:
        bounded = False
    if table is not None and (kind == "Seq Scan" or (kind in _BY_INDEX and not bounded and not _narrowed(node))):
        yield table
    for child in node.get("Plans", []):
        yield from scanned(child, bounded=bounded)


def scans(node: dict[str, Any], table: str) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a plan that read a table."""
    if node.get("Relation Name") == table:
        yield node
    for child in node.get("Plans", []):
        yield from scans(child, table)


def sought(node: dict[str, Any]) -> set[str]:
    """Return the columns by which a node looks up rows in an index."""
    return set(_COLUMN.findall(node.get("Index Cond") or node.get("Recheck Cond") or ""))


def _narrowed(node: dict[str, Any]) -> bool:
    """Whether a scan by an index looks for more than the tenant."""
    return bool(sought(node) - {"tenant_id"})


def _parsed(text: str) -> list[Ran]:
    """Return the statements of a log; the steps of one (parse, bind, execute) are one."""
    ran: list[Ran] = []
    before: dict[int, float] = {}
    for entry in _ENTRY.split(text):
        found = _DURATION.match(entry)
        if found is None or found[1] != LOGIN_ROLE:
            continue
        process, ms = int(found[2]), float(found[3])
        if found[4] in ("parse", "bind"):
            before[process] = before.get(process, 0.0) + ms
        else:
            ran.append(Ran(process, found[5].strip(), ms + before.pop(process, 0.0)))
    return ran


async def _configure(connection: AsyncConnection, settings: dict[str, sql.Composed | None]) -> None:
    """Set or reset settings of the whole server, which its processes take over at their next statement."""
    for name, value in settings.items():
        verb = sql.SQL("RESET {}") if value is None else sql.SQL("SET {} {}")
        parts = [sql.Identifier(name)] if value is None else [sql.Identifier(name), value]
        await connection.execute(sql.SQL("ALTER SYSTEM {}").format(verb.format(*parts)))
    before = await _loaded_at(connection)
    await connection.execute("SELECT pg_reload_conf()")

    async def is_told() -> bool:
        return bool(await _loaded_at(connection) != before)

    await until(is_told)
    await asyncio.sleep(0.1)  # the other processes are sent their signals in the same moment


async def _loaded_at(connection: AsyncConnection) -> Any:
    """When this connection's process read the settings."""
    return await (await connection.execute("SELECT pg_conf_load_time()")).fetchone()
