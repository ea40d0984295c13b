"""What every cache of answers does."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chatconnect.adapters import redis_answers
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_answers import RedisAnswerCache
from chatconnect.domain.conversation import Citation
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.identifiers import AssistantId, DocumentId, TenantId, VersionId, new_id
from chatconnect.ports.answer_cache import AnswerCacheOf, Asked
from local.services import Redis, free_port
from tests.fakes.answers import MemoryAnswerCache, StoredAnswers

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())
VERSION = VersionId(new_id())
CITATION = Citation(1, DocumentId(new_id()), VERSION, "Prices – “2026”", "49 €", 5, 9, 3)
ANSWER = GivenAnswer(
    "It costs 49 €. [1]\n\nOr 0. [2]", (CITATION, replace(CITATION, marker=2, page=None)), frozenset({VERSION})
)


def a_question(**changes: Any) -> Asked:
    asked = Asked(AssistantId(new_id()), 3, "epoch 1", "epoch 2", ("Be brief.",), "what does it cost?")
    return replace(asked, **changes)


@pytest.fixture(params=["memory", "redis"])
def answers_of(request: pytest.FixtureRequest) -> AnswerCacheOf:
    if request.param == "memory":
        stored = StoredAnswers()
        return lambda tenant_id: MemoryAnswerCache(stored, tenant_id)
    database: RedisDatabase = request.getfixturevalue("redis_database")
    return lambda tenant_id: RedisAnswerCache(database, tenant_id)


async def test_an_answer_is_found_as_it_was_kept(answers_of: AnswerCacheOf) -> None:
    asked, bare = a_question(), a_question(question="")
    await answers_of(ACME).keep(asked, ANSWER)
    await answers_of(ACME).keep(bare, GivenAnswer("No."))

    assert await answers_of(ACME).find(asked) == ANSWER
    assert await answers_of(ACME).find(bare) == GivenAnswer("No.")


async def test_a_newer_answer_takes_the_place_of_the_older(answers_of: AnswerCacheOf) -> None:
    asked = a_question()
    await answers_of(ACME).keep(asked, ANSWER)
    await answers_of(ACME).keep(asked, GivenAnswer("Another."))

    assert await answers_of(ACME).find(asked) == GivenAnswer("Another.")


@pytest.mark.parametrize(
    "changes",
    [
        {"assistant_id": AssistantId(new_id())},
        {"version": 4},
        {"configuration": "epoch 3"},
        {"knowledge": "epoch 3"},
        {"controls": ()},
        {"controls": ("Be brief.", "Be kind.")},
        {"controls": ("Be", "brief.")},
        {"question": "what does it cost"},
    ],
)
async def test_whatever_decides_an_answer_makes_another_question(
    answers_of: AnswerCacheOf, changes: dict[str, Any]
) -> None:
    asked = a_question()
    await answers_of(ACME).keep(asked, ANSWER)

    assert await answers_of(ACME).find(replace(asked, **changes)) is None


async def test_another_tenants_answer_is_not_found(answers_of: AnswerCacheOf) -> None:
    asked = a_question()
    await answers_of(ACME).keep(asked, ANSWER)

    assert await answers_of(GLOBEX).find(asked) is None


async def test_no_question_is_too_odd_to_be_asked(answers_of: AnswerCacheOf) -> None:
    asked = a_question(question="\ud800 \x00 💾 ' OR 1=1")
    await answers_of(ACME).keep(asked, ANSWER)

    assert await answers_of(ACME).find(asked) == ANSWER


async def test_redis_keeps_an_answer_for_an_hour_and_under_no_readable_question(redis_database: RedisDatabase) -> None:
    tenant, asked = TenantId(new_id()), a_question(question="secret question")
    await RedisAnswerCache(redis_database, tenant).keep(asked, ANSWER)

    [key] = [key async for key in redis_database.client().scan_iter(f"{{{tenant}}}:*")]

    assert 3_590 <= await redis_database.client().ttl(key) <= 3_600
    assert b"secret" not in key
    assert b"secret" not in (await redis_database.client().get(key) or b"")


async def test_redis_keeps_no_answer_that_is_very_long(redis_database: RedisDatabase) -> None:
    answers, asked = RedisAnswerCache(redis_database, ACME), a_question()
    await answers.keep(asked, GivenAnswer("long" * (redis_answers.LARGEST // 4)))

    assert await answers.find(asked) is None


async def test_without_redis_nothing_is_known_and_nothing_is_kept() -> None:
    nowhere = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    answers, asked = RedisAnswerCache(nowhere, ACME), a_question()

    await answers.keep(asked, ANSWER)

    assert await answers.find(asked) is None
    assert nowhere.resting
    await nowhere.aclose()


async def test_many_at_once_find_the_same(redis: Redis, redis_database: RedisDatabase) -> None:
    answers, asked = RedisAnswerCache(redis_database, ACME), a_question()
    await answers.keep(asked, ANSWER)

    found = await asyncio.gather(*(answers.find(asked) for _ in range(100)))

    assert set(map(type, found)) == {GivenAnswer}
    assert all(each == ANSWER for each in found)
