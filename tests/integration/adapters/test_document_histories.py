"""Whatever happens to documents, in any order, whoever asks gets each of them whole and none that was deleted.

Postgres and the Qdrant engine are real, the bucket is a fake that announces what arrives. Events come late, often, in
any order and two at a time; processes are killed anywhere; the reconcile job runs in between.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Passage
from chatconnect.services.documents import NewUpload
from chatconnect.services.ingestion import Upload
from local.services import Qdrant
from tests.factories import a_tenant
from tests.fakes.models import LetterEmbedder
from tests.fakes.uploads import MemoryUploads
from tests.integration.adapters.crashing import Killed, Look, Process, World
from tests.postgres import conninfo

MOST_DOCUMENTS = 3
LOOKED_AFTER = {
    "chunks.save", "chunks.delete_version", "documents.activate", "documents.delete_all", "documents.fail",
    "documents.purged", "documents.save_chunks",
}  # fmt: skip
Result = TypeVar("Result")


class Bucket(MemoryUploads):
    """A bucket that announces what arrives in it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Upload] = []

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        self.events.append(Upload(key, f"{len(self.events):04}", sha256(content).hexdigest()))

    async def copy(self, key: str, to: str) -> None:
        self.put(to, self._get(key))


class Mortal(Process):
    """A process that ends after so many of its steps' beginnings and ends."""

    def __init__(self, look: Look, lives: int) -> None:
        super().__init__(look)
        self._lives = lives

    async def _reach(self, point: tuple[str, str], done: str | None) -> None:
        await super()._reach(point, done)
        self._lives -= 1
        if self._lives == 0:
            self._dead = True
            raise Killed


class Histories(World):
    """A tenant with a few documents; `looked` is who asks while others work."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.files: Bucket = Bucket()
        self.made = 0
        self.document_ids: list[DocumentId] = []
        self._seen: dict[DocumentId, int] = {}

    def file(self, parts: int) -> bytes:
        """A file like no other: each of its parts says which file it is of, and of how many parts."""
        self.made += 1
        texts = []
        for part in range(parts):
            digest = sha256(f"{self.made} {part}".encode()).hexdigest()
            words = " ".join(digest[at : at + 6] for at in range(0, 48, 6))
            texts.append(f"{self.made} {part} {parts} tariff {words}")
        return "\n\n".join(texts).encode() if parts else b"!"

    async def promised(self, content: bytes, document_id: DocumentId | None) -> str:
        upload = NewUpload("tariffs.txt", "text/plain", len(content), document_id)
        document, form = await self.documents(Process(self.quiet)).promise(self.tenant_id, upload)
        if document_id is None:
            self.document_ids.append(document.id)
        return form.fields["key"]

    async def ingest(self, process: Process, event: Upload) -> None:
        await self.ingestion(process).ingest(event)

    async def look(self, done: str | None = None) -> None:
        """Ask for everything, and check what is found."""
        if done is None or done in LOOKED_AFTER:
            await self.check()

    async def check(self) -> dict[DocumentId, int]:
        """Each document is found whole, as one file, never an older one than before; return which."""
        passages = await self._reader.search(self.tenant_id, "tariff", Retrieval(limit=20, threshold=0.0))
        by_document = defaultdict[DocumentId, list[Passage]](list)
        for passage in passages:
            by_document[passage.chunk.document_id].append(passage)
        found = {}
        for document_id, own in by_document.items():
            versions = {passage.chunk.version_id for passage in own}
            said = sorted(tuple(map(int, passage.chunk.text.split()[:3])) for passage in own)
            file, _, parts = said[0]
            assert said == [(file, part, parts) for part in range(parts)]
            known = await self.rows.versions(document_id)  # not found when it was deleted
            [number] = [version.number for version in known if version.id in versions]
            assert number >= self._seen.get(document_id, 0)
            self._seen[document_id] = number
            found[document_id] = file
        return found

    async def settled(self) -> None:
        """Every event comes once more, the job runs, and what the job announces comes, too."""
        for _ in range(3):
            done = 0
            while done < len(self.files.events):
                await self.ingest(Process(self.look), self.files.events[done])
                done += 1
            await self.reconciled()
        await self.nothing_is_left_over()
        found = await self.check()
        for document_id in self.document_ids:
            assert found.get(document_id) == await self.newest_file(document_id)

    async def newest_file(self, document_id: DocumentId) -> int | None:
        """Which file should answer: the one of the newest version whose file arrived and can be read."""
        try:
            versions = await self.rows.versions(document_id)
        except NotFound:
            return None
        for version in versions:
            content = self.files.objects.get(version.object_key, b"!")
            if not content.startswith(b"!"):
                return int(content.split()[0])
        return None


class Machine(RuleBasedStateMachine):
    """What may happen."""

    loop: asyncio.AbstractEventLoop
    database: PostgresDatabase
    vectors: QdrantDatabase

    def __init__(self) -> None:
        super().__init__()
        new = a_tenant()
        self.run(PostgresAccounts(self.database).open_tenant(new))
        self.world = Histories(new.tenant.id, self.database, self.vectors)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(work)

    def process(self, lives: int) -> Process:
        return Mortal(self.world.look, lives) if lives else Process(self.world.look)

    def survived(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run what may be killed, or come too late."""
        with suppress(Killed, NotFound, Conflict):
            self.run(work)

    def chosen(self, number: int) -> DocumentId:
        return self.world.document_ids[number % len(self.world.document_ids)]

    def event(self, number: int) -> Upload:
        """One of the events so far, the latest ones for small numbers."""
        events = self.world.files.events
        return events[-1 - number % len(events)]

    @precondition(lambda self: len(self.world.document_ids) < MOST_DOCUMENTS)
    @rule(parts=st.integers(0, 3))
    def upload(self, parts: int) -> None:
        content = self.world.file(parts)
        self.world.files.put(self.run(self.world.promised(content, None)), content)

    @precondition(lambda self: self.world.document_ids)
    @rule(number=st.integers(0, 2), parts=st.integers(0, 3), arrives=st.sampled_from([True, True, True, False]))
    def renew(self, number: int, parts: int, arrives: bool) -> None:
        content = self.world.file(parts)
        try:
            key = self.run(self.world.promised(content, self.chosen(number)))
        except NotFound:
            return
        if arrives:
            self.world.files.put(key, content)

    @precondition(lambda self: self.world.files.events)
    @rule(number=st.integers(0, 5), parts=st.integers(1, 3))
    def send_another_file_with_the_same_form(self, number: int, parts: int) -> None:
        key = self.event(number).key
        if key in self.world.files.objects:
            self.world.files.put(key, self.world.file(parts))

    @precondition(lambda self: self.world.files.events)
    @rule(number=st.integers(0, 9), lives=st.integers(0, 40))
    def deliver(self, number: int, lives: int) -> None:
        self.survived(self.world.ingest(self.process(lives), self.event(number)))

    @precondition(lambda self: self.world.files.events)
    @rule(numbers=st.tuples(st.integers(0, 4), st.integers(0, 4)), lives=st.integers(0, 40))
    def deliver_two_at_once(self, numbers: tuple[int, int], lives: int) -> None:
        async def both() -> None:
            work = (
                self.world.ingest(self.process(left), self.event(number))
                for number, left in zip(numbers, (0, lives), strict=True)
            )
            for result in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result

        self.survived(both())

    @precondition(lambda self: self.world.files.events)
    @rule(number=st.integers(0, 9))
    def give_up(self, number: int) -> None:
        self.run(self.world.ingestion(Process(self.world.quiet)).give_up(self.event(number)))

    @precondition(lambda self: self.world.document_ids)
    @rule(number=st.integers(0, 2), lives=st.integers(0, 12))
    def delete(self, number: int, lives: int) -> None:
        documents = self.world.documents(self.process(lives))
        self.survived(documents.delete(self.world.tenant_id, self.chosen(number)))

    @precondition(lambda self: self.world.document_ids)
    @rule(number=st.integers(0, 2), lives=st.integers(0, 8))
    def reprocess(self, number: int, lives: int) -> None:
        documents = self.world.documents(self.process(lives))
        self.survived(documents.reprocess(self.world.tenant_id, self.chosen(number)))

    @rule()
    def reconcile(self) -> None:
        self.run(self.world.reconciled())

    @invariant()
    def whoever_asks_gets_whole_documents(self) -> None:
        self.run(self.world.check())

    def teardown(self) -> None:
        self.run(self.world.settled())


@pytest.fixture
def machine(app_url: str, qdrant: Qdrant) -> Iterator[type[Machine]]:
    loop = asyncio.new_event_loop()
    database = PostgresDatabase(conninfo(app_url), pool_size=4)
    vectors = QdrantDatabase(qdrant.url, collection="histories-26", dimensions=LetterEmbedder.dimensions)
    yield cast("type[Machine]", type("Connected", (Machine,), {"loop": loop, "database": database, "vectors": vectors}))
    loop.run_until_complete(database.aclose())
    loop.run_until_complete(vectors.aclose())
    loop.close()


def test_no_history_of_documents_mixes_versions_or_finds_what_was_deleted(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
