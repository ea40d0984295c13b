"""What a knowledge source may be, and how what lies there is numbered here."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import DocumentId, KnowledgeSourceId, TenantId, new_id
from chatconnect.domain.secret import Secret
from tests.factories import a_knowledge_source

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())
SOURCE = a_knowledge_source(ACME)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200b"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"provider": "elsewhere"}, "provider"),
        ({"base_url": "ftp://dify.example.com"}, "base_url"),
        ({"base_url": "https://user:pw@dify.example.com"}, "base_url"),
        ({"base_url": "https://dify.example.com/?x=1"}, "base_url"),
        ({"base_url": "https://dify.example.com/#x"}, "base_url"),
        ({"base_url": "https://dify.example.com/ü"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"base_url": f"https://dify.example.com/{'x' * 2_000}"}, "base_url"),
        ({"dataset_id": ""}, "dataset_id"),
        ({"dataset_id": "../apps"}, "dataset_id"),
        ({"dataset_id": "a/b"}, "dataset_id"),
        ({"dataset_id": "a?b"}, "dataset_id"),
        ({"dataset_id": "x" * 101}, "dataset_id"),
        ({"api_key": Secret("short")}, "api_key"),
        ({"api_key": Secret("dataset-x\r\nhost: evil")}, "api_key"),
        ({"api_key": Secret("x" * 501)}, "api_key"),
        ({"search_method": "hybrid_search"}, "search_method"),
        ({"search_method": ""}, "search_method"),
    ],
)
def test_what_cannot_be_a_source_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        replace(SOURCE, **change)

    assert caught.value.details["field"] == field


def test_a_document_keeps_its_id_whatever_else_of_the_source_changes() -> None:
    again = a_knowledge_source(ACME, name="other", api_key=Secret("another-key"), search_method="keyword_search")

    assert again.id != SOURCE.id
    assert again.document_id("7") == SOURCE.document_id("7")


@pytest.mark.parametrize("change", [{"tenant_id": GLOBEX}, {"dataset_id": "b"}, {"base_url": "https://b.example.com"}])
def test_another_documents_id_is_another(change: dict[str, Any]) -> None:
    other = replace(SOURCE, **change)

    assert len({SOURCE.document_id("7"), SOURCE.document_id("8"), other.document_id("7")}) == 3
    assert SOURCE.version_id("7") not in (SOURCE.document_id("7"), other.version_id("7"))


def test_our_documents_cannot_be_chosen_where_passages_come_from_elsewhere() -> None:
    source, documents = KnowledgeSourceId(new_id()), (DocumentId(new_id()),)

    with pytest.raises(Invalid) as caught:
        Retrieval(document_ids=documents, knowledge_source=source)

    assert caught.value.details["field"] == "retrieval.document_ids"
    assert Retrieval(knowledge_source=source).knowledge_source == source


def test_a_key_is_not_shown() -> None:
    assert "very-secret" not in repr(SOURCE)
