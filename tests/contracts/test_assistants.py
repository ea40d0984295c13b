"""What every store of assistants and their versions does."""

import asyncio
from dataclasses import replace

import pytest

from chatconnect.domain.assistant import Assistant, Fallback, Retrieval
from chatconnect.domain.assistant_versions import Author, VersionedAssistant
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AssistantId, DocumentId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.assistants import Assistants
from chatconnect.ports.tenants import NewTenant
from tests.contracts.tenants import Stores, acme, stores
from tests.factories import a_save, a_tenant, seconds

__all__ = ["acme", "stores"]


@pytest.fixture
def assistants(stores: Stores, acme: NewTenant) -> Assistants:
    return stores.assistants_of(acme.tenant.id)


def another(acme: NewTenant, name: str = "Ben") -> Assistant:
    config = acme.assistant.config.with_name(name)
    return Assistant(AssistantId(new_id()), acme.tenant.id, config, 1, False, seconds(1), seconds(1))


async def test_every_publication_is_a_new_version(stores: Stores, acme: NewTenant, assistants: Assistants) -> None:
    tenants = stores.tenants_of(acme.tenant.id)
    config = replace(
        acme.assistant.config,
        control_messages=("Answer in JSON.",),
        retrieval=Retrieval(limit=3, threshold=0.5, document_ids=(DocumentId(new_id()),), rerank=True),
        tools=("search_knowledge", "orders"),
        tool_rounds=3,
        fallback=Fallback("openai", "gpt-5-nano"),
    )
    save = a_save(config, author_id=acme.account.id, note="shorter")

    published = await assistants.save(acme.assistant.id, save, publish=True)

    assert published.assistant == replace(acme.assistant, config=config, version=2, updated_at=save.created_at)
    assert (published.published_version, published.latest_version, published.has_draft) == (2, 2, False)
    assert await assistants.get(acme.assistant.id) == published
    assert await tenants.assistant(acme.assistant.id) == await tenants.default_assistant() == published.assistant


async def test_a_draft_is_kept_and_nobody_meets_it(stores: Stores, acme: NewTenant, assistants: Assistants) -> None:
    config = acme.assistant.config.with_temperature(1.5)

    drafted = await assistants.save(acme.assistant.id, a_save(config), publish=False)

    assert (drafted.assistant.config, drafted.assistant.version) == (config, 2)
    assert (drafted.published_version, drafted.latest_version, drafted.has_draft) == (1, 2, True)
    assert (await assistants.version(acme.assistant.id, 2)).config == config
    stored = await assistants.get(acme.assistant.id)
    assert (stored.assistant.config, stored.assistant.version, stored.has_draft) == (acme.assistant.config, 1, True)
    tenants = stores.tenants_of(acme.tenant.id)
    assert (await tenants.assistant(acme.assistant.id)).config == acme.assistant.config
    newest = await tenants.newest(acme.assistant.id)
    assert (newest.config, newest.version) == (config, 2)


async def test_a_draft_that_is_published_is_the_one_that_answers(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    config = acme.assistant.config.with_temperature(1.5)
    await assistants.save(acme.assistant.id, a_save(config), publish=False)
    await assistants.save(acme.assistant.id, a_save(config.with_name("Later")), publish=False)

    published = await assistants.publish(acme.assistant.id, 2, at=seconds(9))

    assert (published.assistant.config, published.assistant.version) == (config, 2)
    assert (published.published_version, published.latest_version, published.has_draft) == (2, 3, True)
    assert await assistants.get(acme.assistant.id) == published
    assert await stores.tenants_of(acme.tenant.id).assistant(acme.assistant.id) == published.assistant
    assert await assistants.publish(acme.assistant.id, 2, at=seconds(99)) == published


async def test_an_older_version_is_not_published_again(acme: NewTenant, assistants: Assistants) -> None:
    await assistants.save(acme.assistant.id, a_save(acme.assistant.config), publish=True)

    with pytest.raises(Conflict) as refused:
        await assistants.publish(acme.assistant.id, 1, at=seconds(9))
    with pytest.raises(NotFound):
        await assistants.publish(acme.assistant.id, 3, at=seconds(9))

    assert refused.value.code == "older_version"
    assert (await assistants.get(acme.assistant.id)).published_version == 2


async def test_who_began_with_an_older_version_overwrites_nothing(acme: NewTenant, assistants: Assistants) -> None:
    first = a_save(acme.assistant.config.with_name("First"))
    await assistants.save(acme.assistant.id, first, publish=True, expected=1)

    with pytest.raises(Conflict) as lost:
        await assistants.save(acme.assistant.id, a_save(acme.assistant.config), publish=True, expected=1)
    with pytest.raises(Conflict) as late:
        await assistants.publish(acme.assistant.id, 2, at=seconds(9), expected=1)

    assert (lost.value.code, lost.value.details) == ("version_conflict", {"latest_version": 2})
    assert late.value.code == "version_conflict"
    assert (await assistants.get(acme.assistant.id)).assistant.config == first.config


async def test_of_two_edits_at_once_one_is_told_that_it_came_late(acme: NewTenant, assistants: Assistants) -> None:
    saves = [a_save(acme.assistant.config.with_name(name)) for name in ("Ann", "Bea", "Cem", "Dan")]

    results = await asyncio.gather(
        *(assistants.save(acme.assistant.id, save, publish=True, expected=1) for save in saves), return_exceptions=True
    )

    [won] = [each for each in results if isinstance(each, VersionedAssistant)]
    assert sum(isinstance(each, Conflict) for each in results) == 3
    assert (await assistants.get(acme.assistant.id)).assistant.config == won.assistant.config


async def test_saves_at_once_get_numbers_of_their_own(acme: NewTenant, assistants: Assistants) -> None:
    save = a_save(acme.assistant.config)

    saved = await asyncio.gather(*(assistants.save(acme.assistant.id, save, publish=True) for _ in range(5)))

    assert sorted(each.assistant.version for each in saved) == [2, 3, 4, 5, 6]
    assert (await assistants.get(acme.assistant.id)).published_version == 6


async def test_versions_tell_who_saved_them_when_and_why(acme: NewTenant, assistants: Assistants) -> None:
    noted = a_save(acme.assistant.config, author_id=acme.account.id, note="shorter\nand kinder")
    await assistants.save(acme.assistant.id, noted, publish=False)
    await assistants.save(acme.assistant.id, a_save(acme.assistant.config), publish=False)

    newest, middle = await assistants.saves(acme.assistant.id, before=None, limit=2)
    [first] = await assistants.saves(acme.assistant.id, before=2, limit=2)

    author = Author(acme.account.id, acme.account.email)
    assert (newest.number, newest.author, newest.note) == (3, None, "")
    assert (middle.number, middle.author, middle.note) == (2, author, "shorter\nand kinder")
    assert middle.created_at == noted.created_at
    assert (first.number, first.author) == (1, author)
    assert (await assistants.version(acme.assistant.id, 2)).save == middle
    assert await assistants.saves(AssistantId(new_id()), before=None, limit=2) == []


async def test_an_access_token_comes_back_with_its_configuration(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    config = acme.assistant.config.with_access_token(Secret("sk-very-secret"))

    await assistants.save(acme.assistant.id, a_save(config), publish=True)
    await assistants.save(acme.assistant.id, a_save(config.with_access_token(None)), publish=True)

    assert (await assistants.version(acme.assistant.id, 2)).config.access_token == Secret("sk-very-secret")
    assert (await assistants.get(acme.assistant.id)).assistant.config.access_token is None
    answering = await stores.tenants_of(acme.tenant.id).assistant(acme.assistant.id, 2)
    assert answering.config.access_token == Secret("sk-very-secret")


async def test_a_new_assistant_stands_behind_the_default_one(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    ben, eve = another(acme), another(acme, "Eve")

    added = await assistants.add(ben, author_id=acme.account.id, note="for the shop")
    await assistants.add(replace(eve, created_at=seconds(2), updated_at=seconds(2)), author_id=None, note="")

    assert added == await assistants.get(ben.id) == VersionedAssistant(ben, 1, 1)
    assert [each.assistant.id for each in await assistants.list_all()] == [acme.assistant.id, ben.id, eve.id]
    assert await assistants.count() == 3
    assert await stores.tenants_of(acme.tenant.id).assistant(ben.id) == ben
    [save] = await assistants.saves(ben.id, before=None, limit=9)
    assert (save.number, save.note, save.author) == (1, "for the shop", Author(acme.account.id, acme.account.email))


async def test_a_tenant_has_one_default_whoever_sets_it_at_once(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    tenants, several = stores.tenants_of(acme.tenant.id), [another(acme, f"N{number}") for number in range(4)]
    for each in several:
        await assistants.add(each, author_id=None, note="")

    await asyncio.gather(*(assistants.set_default(each.id) for each in several))

    [default] = [each for each in await assistants.list_all() if each.assistant.is_default]
    assert default.assistant.id in {each.id for each in several}
    assert await tenants.default_assistant() == default.assistant


async def test_the_default_is_never_an_archived_one_whatever_comes_first(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    for _ in range(5):
        ben = another(acme)
        await assistants.add(ben, author_id=None, note="")

        await asyncio.gather(
            assistants.set_default(ben.id), assistants.archive(ben.id, seconds(9)), return_exceptions=True
        )

        default = await stores.tenants_of(acme.tenant.id).default_assistant()
        assert (await assistants.get(default.id)).archived_at is None
        assert ((await assistants.get(ben.id)).archived_at is None) == (default.id == ben.id)
        await assistants.set_default(acme.assistant.id)


async def test_an_archived_assistant_answers_nobody_until_it_is_taken_back(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    tenants, ben = stores.tenants_of(acme.tenant.id), another(acme)
    await assistants.add(ben, author_id=None, note="")

    await assistants.archive(ben.id, seconds(9))
    await assistants.archive(ben.id, seconds(10))

    assert (await assistants.get(ben.id)).archived_at == seconds(9)
    assert [each.id for each in await tenants.assistants()] == [acme.assistant.id]
    for attempt in (tenants.assistant(ben.id), tenants.newest(ben.id), assistants.set_default(ben.id)):
        with pytest.raises(NotFound):
            await attempt
    assert (await tenants.assistant(ben.id, 1)).config == ben.config  # what it once answered from
    await assistants.unarchive(ben.id)
    assert await tenants.assistant(ben.id) == ben


async def test_the_default_and_what_a_widget_shows_is_neither_archived_nor_deleted(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    async def refusals() -> list[str]:
        codes = []
        for attempt in (assistants.archive(acme.assistant.id, seconds(9)), assistants.delete(acme.assistant.id)):
            with pytest.raises(Conflict) as refused:
                await attempt
            codes.append(refused.value.code)
        return codes

    assert await refusals() == ["default_assistant", "default_assistant"]
    ben = another(acme)
    await assistants.add(ben, author_id=None, note="")
    await assistants.set_default(ben.id)
    assert await refusals() == ["assistant_in_use", "assistant_in_use"]


async def test_an_assistant_that_nothing_names_is_deleted_with_its_versions(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    ben = another(acme)
    await assistants.add(ben, author_id=None, note="")
    await assistants.save(ben.id, a_save(ben.config), publish=True)

    await assistants.delete(ben.id)

    with pytest.raises(NotFound):
        await assistants.get(ben.id)
    assert await assistants.saves(ben.id, before=None, limit=9) == []
    with pytest.raises(NotFound):
        await assistants.delete(ben.id)


async def test_a_key_of_no_assistant_shows_the_defaults_widget_or_else_the_oldest(
    stores: Stores, acme: NewTenant, assistants: Assistants
) -> None:
    widgets, ben, key = stores.widgets_of(acme.tenant.id), another(acme), acme.widget_key[0]
    await assistants.add(ben, author_id=None, note="")

    await assistants.set_default(ben.id)
    without_own = await widgets.of_key(key)

    assert without_own == acme.widget
    with pytest.raises(NotFound):
        await widgets.of_key(replace(key, assistant_id=ben.id))


async def test_what_is_another_tenants_does_not_exist(stores: Stores, acme: NewTenant, assistants: Assistants) -> None:
    globex = a_tenant()
    await stores.accounts.open_tenant(globex)
    theirs = globex.assistant.id

    for attempt in (
        assistants.get(theirs),
        assistants.version(theirs, 1),
        assistants.save(theirs, a_save(globex.assistant.config), publish=True),
        assistants.publish(theirs, 1, at=seconds(9)),
        assistants.set_default(theirs),
        assistants.archive(theirs, seconds(9)),
        assistants.unarchive(theirs),
        assistants.delete(theirs),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await assistants.saves(theirs, before=None, limit=9) == []
    assert [each.assistant for each in await assistants.list_all()] == [acme.assistant]
    assert await assistants.count() == 1
    assert (await stores.assistants_of(globex.tenant.id).get(theirs)).assistant == globex.assistant
