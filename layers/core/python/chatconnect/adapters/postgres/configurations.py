"""Assistant and widget configurations as jsonb. An access token is never part of it: it is stored sealed, beside it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from chatconnect.domain.assistant import AssistantConfig, Fallback, Retrieval
from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.moderation import Moderation
from chatconnect.domain.secret import Secret
from chatconnect.domain.widget import Theme, WidgetConfig


def assistant_json(config: AssistantConfig) -> dict[str, object]:
    """Return the configuration without its access token."""
    data = asdict(replace(config, access_token=None))
    del data["access_token"]
    return data


def assistant_config(data: Mapping[str, Any], access_token: Secret | None) -> AssistantConfig:
    """Return the configuration of a row; what an older row does not hold has its default."""
    retrieval = dict(data["retrieval"])
    if retrieval.get("document_ids") is not None:
        retrieval["document_ids"] = tuple(DocumentId(UUID(each)) for each in retrieval["document_ids"])
    rest = {**data, "control_messages": tuple(data["control_messages"]), "retrieval": Retrieval(**retrieval)}
    rest["tools"] = tuple(data.get("tools", ()))
    rest["fallback"] = Fallback(**data["fallback"]) if data.get("fallback") else None
    if "moderation" in data:
        phrases = tuple(data["moderation"]["forbidden_phrases"])
        rest["moderation"] = Moderation(**{**data["moderation"], "forbidden_phrases": phrases})
    return AssistantConfig(**rest, access_token=access_token)


def widget_json(config: WidgetConfig) -> dict[str, object]:
    """Return the configuration."""
    return asdict(config)


def widget_config(data: Mapping[str, Any]) -> WidgetConfig:
    """Return the configuration of a row; what an older row does not hold has its default."""
    lists = {name: tuple(data[name]) for name in ("suggested_questions", "allowed_domains")}
    return WidgetConfig(**{**data, **lists, "theme": Theme(**data["theme"])})
