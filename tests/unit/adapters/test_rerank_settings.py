"""The deployment's reranking model, as its settings name it."""

import pytest

from chatconnect import assembly
from chatconnect.settings import Settings


async def test_without_an_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RERANK_URL", raising=False)

    assert await assembly.reranker(Settings()) is None


async def test_with_an_address_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_URL", "https://rerank.example/v1")
    monkeypatch.setenv("RERANK_API_KEY", "sk-rerank")

    reranker = await assembly.reranker(Settings())

    assert reranker is not None
    assert "sk-rerank" not in repr(vars(Settings()))
    await reranker.aclose()
