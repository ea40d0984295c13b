"""Versions of assistants: what differs between two, and which may be published."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.assistant import Assistant, AssistantConfig, Fallback, Retrieval
from chatconnect.domain.assistant_versions import Change, VersionedAssistant, changes, checked_note
from chatconnect.domain.errors import ChatConnectError, Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import AssistantId, DocumentId, TenantId, new_id
from chatconnect.domain.moderation import Moderation, ModerationMode
from chatconnect.domain.response_format import FormatKind, ResponseFormat
from chatconnect.domain.secret import Secret
from tests.factories import NOON

DOCUMENT = DocumentId(new_id())
CONFIG = AssistantConfig(name="Ada", provider="openai", model="gpt-5-mini", access_token=Secret("sk-12345678"))
SCHEMA = ResponseFormat(FormatKind.JSON_SCHEMA, {"type": "object", "properties": {}})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"temperature": 1.0}, Change("temperature", 0.2, 1.0)),
        ({"tools": ("orders",)}, Change("tools", [], ["orders"])),
        ({"retrieval": Retrieval(limit=7)}, Change("retrieval.limit", 5, 7)),
        ({"retrieval": Retrieval(document_ids=(DOCUMENT,))}, Change("retrieval.document_ids", None, [str(DOCUMENT)])),
        ({"fallback": Fallback("openai", "m")}, Change("fallback", None, {"provider": "openai", "model": "m"})),
        ({"moderation": Moderation(ModerationMode.RULES)}, Change("moderation.mode", "off", "rules")),
        ({"access_token": None}, Change("access_token", "***", None)),
        ({"access_token": Secret("sk-another")}, Change("access_token", "***", "***")),
    ],
)
def test_a_change_is_told_by_its_field_as_json_knows_it(change: dict[str, Any], expected: Change) -> None:
    assert changes(CONFIG, replace(CONFIG, **change)) == [expected]


def test_changes_come_in_the_order_of_the_fields_and_equal_configurations_have_none() -> None:
    changed = replace(CONFIG, response_format=SCHEMA, name="Bea", temperature=0.5)

    fields = [change.field for change in changes(CONFIG, changed)]

    assert fields == ["name", "temperature", "response_format.kind", "response_format.schema"]
    assert changes(CONFIG, replace(CONFIG)) == []


def test_no_secret_is_in_what_changed() -> None:
    found = changes(CONFIG, replace(CONFIG, access_token=Secret("sk-another")))

    assert not any(secret in repr(found) for secret in ("sk-12345678", "sk-another"))


def an_assistant(published: int, latest: int) -> VersionedAssistant:
    assistant = Assistant(AssistantId(new_id()), TenantId(new_id()), CONFIG, published, True, NOON, NOON)
    return VersionedAssistant(assistant, published, latest)


@pytest.mark.parametrize("number", [3, 4, 5])
def test_the_published_version_and_every_newer_one_may_be_published(number: int) -> None:
    an_assistant(3, 5).check_can_publish(number)


@pytest.mark.parametrize(("number", "error"), [(2, Conflict), (0, NotFound), (6, NotFound)])
def test_an_older_version_and_one_that_there_is_not_may_not(number: int, error: type[ChatConnectError]) -> None:
    with pytest.raises(error):
        an_assistant(3, 5).check_can_publish(number)


def test_a_change_that_began_with_the_newest_version_or_with_none_in_particular_passes() -> None:
    an_assistant(3, 5).check_unchanged(5)
    an_assistant(3, 5).check_unchanged(None)
    with pytest.raises(Conflict) as refused:
        an_assistant(3, 5).check_unchanged(4)

    assert refused.value.details == {"latest_version": 5}
    assert an_assistant(3, 5).has_draft
    assert not an_assistant(5, 5).has_draft


def test_a_note_is_kept_without_what_cannot_be_read_and_has_its_length() -> None:
    assert checked_note(" two\nlines\0 ") == "two\nlines"
    with pytest.raises(Invalid) as refused:
        checked_note("n" * 501)

    assert refused.value.details["field"] == "note"


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ({}, True),
        ({"model": "gpt-5-nano", "temperature": 1.0}, True),
        ({"provider": "anthropic"}, False),
        ({"base_url": "https://elsewhere.example"}, False),
    ],
)
def test_a_token_is_taken_over_from_the_same_provider_and_address_alone(other: dict[str, Any], kept: bool) -> None:
    in_use = replace(CONFIG, access_token=Secret("sk-in-use"), **other)

    assert CONFIG.with_token_of(in_use).access_token == (Secret("sk-in-use") if kept else None)
