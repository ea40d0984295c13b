"""Identifiers that sort by time, and strings that must not be seen."""

import copy
import json
import logging
from dataclasses import asdict, dataclass
from time import sleep
from uuid import RFC_4122

import pytest

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.identifiers import new_id
from chatconnect.domain.secret import Secret

HIDDEN = "sk_live_very-hidden"


def test_identifiers_are_valid_version_7_and_never_repeat() -> None:
    made = [new_id() for _ in range(2_000)]

    assert {(id_.version, id_.variant) for id_ in made} == {(7, RFC_4122)}
    assert len(set(made)) == 2_000


def test_identifiers_sort_by_the_time_they_were_made() -> None:
    made = []
    for _ in range(5):
        made.append(new_id())
        sleep(0.002)

    assert sorted(made) == made
    assert sorted(map(str, made)) == list(map(str, made))


@dataclass(frozen=True)
class Holder:
    secret: Secret


def test_a_secret_shows_in_no_representation() -> None:
    secret = Secret(HIDDEN)

    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", repr(Holder(secret)), repr([secret])]

    assert not [text for text in shown if HIDDEN in text]


def test_a_secret_shows_in_no_log_line_nor_in_what_is_made_of_its_owner(caplog: pytest.LogCaptureFixture) -> None:
    config = AssistantConfig(name="Ada", provider="openai", model="m", access_token=Secret(HIDDEN))

    logging.getLogger("test").warning("saved %s", {"config": config, "token": config.access_token})
    logged = json.dumps(asdict(config), default=str)

    assert HIDDEN not in caplog.text
    assert HIDDEN not in logged


def test_a_secret_is_revealed_on_demand_and_compares_by_its_value() -> None:
    secret = Secret(HIDDEN)

    assert secret.reveal() == HIDDEN
    assert secret == Secret(HIDDEN) == copy.deepcopy(secret)
    assert secret != Secret("other")
    assert secret != HIDDEN
    assert len({secret, Secret(HIDDEN)}) == 1
