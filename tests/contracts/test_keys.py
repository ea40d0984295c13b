"""What every store of API keys and identity secrets does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.keys import PostgresIdentitySecrets, PostgresKeys
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import IdentitySecretId, KeyId, new_id
from chatconnect.domain.identity import IdentitySecret
from chatconnect.domain.keys import CHAT_ALONE, ApiKey, Scope
from chatconnect.domain.secret import Secret
from chatconnect.ports.keys import IdentitySecrets, Keys
from chatconnect.ports.tenants import NewTenant
from tests.factories import NOON, a_key, a_tenant, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.keys import MemoryIdentitySecrets, MemoryKeys, StoredSecrets
from tests.fakes.tenants import StoredTenants


@dataclass
class Company:
    """A tenant with the stores under test."""

    new: NewTenant
    keys: Keys
    secrets: IdentitySecrets

    async def add(self, **changes: Any) -> tuple[ApiKey, bytes]:
        key, key_hash = a_key(self.new.tenant.id, created_at=seconds(1), **changes)
        await self.keys.add(key, key_hash)
        return key, key_hash

    def secret(self, text: str = "hush", at: float = 0) -> IdentitySecret:
        return IdentitySecret(
            IdentitySecretId(new_id()), self.new.tenant.id, "ids_live_...hush", Secret(text), seconds(at)
        )


OpenCompany = Callable[[], Awaitable[Company]]


@pytest.fixture(params=["memory", "postgres"])
def open_company(request: pytest.FixtureRequest) -> OpenCompany:
    stored, hidden = StoredTenants(), StoredSecrets()

    async def in_memory() -> Company:
        new = a_tenant()
        stored.tenants[new.tenant.id] = new.tenant
        for key, key_hash in (new.widget_key, new.secret_key):
            stored.keys[new.tenant.id, key_hash] = key
        return Company(new, MemoryKeys(stored, new.tenant.id), MemoryIdentitySecrets(hidden, new.tenant.id))

    if request.param == "memory":
        return in_memory
    database: PostgresDatabase = request.getfixturevalue("database")

    async def in_postgres() -> Company:
        new = a_tenant()
        await PostgresAccounts(database).open_tenant(new)
        secrets = PostgresIdentitySecrets(database, new.tenant.id, encryption=ReversingEncryption())
        return Company(new, PostgresKeys(database, new.tenant.id), secrets)

    return in_postgres


@pytest.fixture
async def acme(open_company: OpenCompany) -> Company:
    return await open_company()


@pytest.fixture
async def globex(open_company: OpenCompany) -> Company:
    return await open_company()


# Keys


async def test_a_new_tenant_has_its_two_keys(acme: Company) -> None:
    found = await acme.keys.all()

    assert {key.id for key in found} == {acme.new.widget_key[0].id, acme.new.secret_key[0].id}


async def test_a_key_is_found_by_its_hash_and_id_with_all_that_it_may(acme: Company) -> None:
    scopes = frozenset({Scope.KNOWLEDGE_READ, Scope.USAGE_READ})
    narrow, narrow_hash = await acme.add(scopes=scopes, expires_at=seconds(60))
    bound, bound_hash = await acme.add(scopes=CHAT_ALONE, assistant_id=acme.new.assistant.id)
    whole, whole_hash = await acme.add()

    assert await acme.keys.find(narrow_hash) == narrow
    assert await acme.keys.find(bound_hash) == bound
    assert await acme.keys.find(whole_hash) == whole
    assert await acme.keys.get(narrow.id) == narrow


async def test_another_tenants_key_does_not_exist(acme: Company, globex: Company) -> None:
    theirs, their_hash = await globex.add()
    mine, my_hash = a_key(acme.new.tenant.id)

    assert await acme.keys.find(their_hash) is None
    with pytest.raises(NotFound):
        await acme.keys.get(theirs.id)
    with pytest.raises(NotFound):
        await acme.keys.revoke(theirs.id, NOON)
    assert not await acme.keys.replace(theirs.id, mine, my_hash, ends_at=NOON)
    assert await globex.keys.get(theirs.id) == theirs
    assert await acme.keys.find(my_hash) is None


async def test_the_first_end_of_a_key_stands(acme: Company) -> None:
    key, _ = await acme.add()

    await acme.keys.revoke(key.id, seconds(5))
    await acme.keys.revoke(key.id, seconds(9))

    assert await acme.keys.get(key.id) == replace(key, revoked_at=seconds(5))
    with pytest.raises(NotFound):
        await acme.keys.revoke(KeyId(new_id()), NOON)


async def test_a_replaced_key_ends_later_and_names_its_successor(acme: Company) -> None:
    old, _ = await acme.add()
    new, new_hash = a_key(acme.new.tenant.id, created_at=seconds(5))

    assert await acme.keys.replace(old.id, new, new_hash, ends_at=seconds(100))

    assert await acme.keys.get(old.id) == replace(old, expires_at=seconds(100), replaced_by=new.id)
    assert await acme.keys.find(new_hash) == new


async def test_a_replacement_gives_no_key_a_longer_life(acme: Company) -> None:
    old, _ = await acme.add(expires_at=seconds(10))
    new, new_hash = a_key(acme.new.tenant.id)

    await acme.keys.replace(old.id, new, new_hash, ends_at=seconds(100))

    assert (await acme.keys.get(old.id)).expires_at == seconds(10)


async def test_of_replacements_at_once_one_succeeds(acme: Company) -> None:
    old, _ = await acme.add()
    wanted = [a_key(acme.new.tenant.id, created_at=seconds(5)) for _ in range(5)]

    done = await asyncio.gather(
        *(acme.keys.replace(old.id, new, new_hash, ends_at=seconds(100)) for new, new_hash in wanted)
    )

    assert sorted(done) == [False, False, False, False, True]
    [successor] = [new for (new, new_hash), worked in zip(wanted, done, strict=True) if worked]
    assert (await acme.keys.get(old.id)).replaced_by == successor.id
    assert len(await acme.keys.all()) == 4


async def test_a_revoked_key_is_not_replaced(acme: Company) -> None:
    old, _ = await acme.add(revoked_at=seconds(3))
    new, new_hash = a_key(acme.new.tenant.id)

    assert not await acme.keys.replace(old.id, new, new_hash, ends_at=seconds(100))
    assert await acme.keys.find(new_hash) is None


async def test_the_last_use_of_a_key_is_the_latest_that_was_noted(acme: Company) -> None:
    key, _ = await acme.add()

    for moment in (seconds(60), seconds(200), seconds(100)):
        await acme.keys.note_use(key.id, moment)

    assert (await acme.keys.get(key.id)).last_used_at == seconds(200)


# Identity secrets


async def test_a_new_secret_ends_the_others_after_a_while(acme: Company) -> None:
    first, second = acme.secret("first"), acme.secret("second", at=10)

    await acme.secrets.add(first, others_end_at=NOON)
    await acme.secrets.add(second, others_end_at=seconds(70))

    assert await acme.secrets.usable(seconds(20)) == [second, replace(first, expires_at=seconds(70))]
    assert await acme.secrets.usable(seconds(70)) == [second]


async def test_the_end_of_a_secret_is_never_put_off(acme: Company) -> None:
    secrets = [acme.secret(f"{number}", at=number) for number in range(3)]

    for secret, end in zip(secrets, (0, 50, 500), strict=True):
        await acme.secrets.add(secret, others_end_at=seconds(end))

    assert await acme.secrets.usable(seconds(60)) == [secrets[2], replace(secrets[1], expires_at=seconds(500))]


async def test_a_deleted_secret_is_gone_and_another_tenants_does_not_exist(acme: Company, globex: Company) -> None:
    mine, theirs = acme.secret(), globex.secret()
    await acme.secrets.add(mine, others_end_at=NOON)
    await globex.secrets.add(theirs, others_end_at=NOON)

    for missing in (theirs.id, IdentitySecretId(new_id())):
        with pytest.raises(NotFound):
            await acme.secrets.delete(missing)
    await acme.secrets.delete(mine.id)

    assert await acme.secrets.usable(NOON) == []
    assert await globex.secrets.usable(NOON) == [theirs]


async def test_a_secret_is_stored_sealed(database: PostgresDatabase) -> None:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    secrets = PostgresIdentitySecrets(database, new.tenant.id, encryption=ReversingEncryption())

    await secrets.add(Company(new, MemoryKeys(StoredTenants(), new.tenant.id), secrets).secret(), others_end_at=NOON)

    async with database.transaction(new.tenant.id) as connection:
        [(sealed, key)] = await (await connection.execute("SELECT secret, secret_key FROM identity_secrets")).fetchall()
    assert b"hush" not in bytes(sealed)
    assert key == "reversing"
    assert await ReversingEncryption().decrypt(new.tenant.id, bytes(sealed)) == b"hush"
