"""Configurations and control messages as jsonb. An access token is never part of it: it is stored sealed, beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.domain.assistant import AssistantConfig, Fallback, Retrieval
from chatconnect.domain.controls import Controls, TenantControls
from chatconnect.domain.identifiers import DocumentId, KnowledgeSourceId
from chatconnect.domain.lead import LeadField, LeadForm
from chatconnect.domain.metadata import Condition, DocumentFilters
from chatconnect.domain.moderation import Moderation
from chatconnect.domain.response_format import ResponseFormat
from chatconnect.domain.secret import Secret
from chatconnect.domain.widget import Behaviour, Theme, WidgetConfig, Words


def assistant_json(config: AssistantConfig) -> dict[str, object]:
    """Return the configuration without its access token."""
    data = asdict(replace(config, access_token=None))
    del data["access_token"]
    return data | {"response_format": _form_json(config.response_format)}


def assistant_config(data: Mapping[str, Any], access_token: Secret | None) -> AssistantConfig:
    """Return the configuration of a row; what an older row does not hold has its default."""
    retrieval = dict(data["retrieval"])
    if retrieval.get("document_ids") is not None:
        retrieval["document_ids"] = tuple(DocumentId(UUID(each)) for each in retrieval["document_ids"])
    if retrieval.get("knowledge_source") is not None:
        retrieval["knowledge_source"] = KnowledgeSourceId(UUID(retrieval["knowledge_source"]))
    if retrieval.get("filters") is not None:
        retrieval["filters"] = _filters(retrieval["filters"])
    rest = {**data, "control_messages": tuple(data["control_messages"]), "retrieval": Retrieval(**retrieval)}
    rest["tools"] = tuple(data.get("tools", ()))
    rest["fallback"] = Fallback(**data["fallback"]) if data.get("fallback") else None
    if "moderation" in data:
        rest["moderation"] = _moderation(data["moderation"])
    if "response_format" in data:
        rest["response_format"] = _form(data["response_format"])
    return AssistantConfig(**rest, access_token=access_token)


def controls_json(controls: Controls) -> dict[str, object]:
    """Return control messages with the form of answers."""
    form = controls.response_format
    return {"messages": controls.messages, "response_format": None if form is None else _form_json(form)}


def controls_of(data: Mapping[str, Any]) -> Controls:
    """Return the control messages of a row; none, when it holds none."""
    form = data.get("response_format")
    return Controls(tuple(data.get("messages", ())), _form(form) if form else None)


def tenant_controls_json(controls: TenantControls) -> dict[str, object]:
    """Return control messages of a tenant and its endpoints."""
    endpoints = {name: controls_json(each) for name, each in controls.endpoints.items()}
    return {"messages": controls.messages, "endpoints": endpoints}


def tenant_controls(data: Mapping[str, Any]) -> TenantControls:
    """Return the control messages of a tenant's row; none, when it holds none."""
    endpoints = {name: controls_of(each) for name, each in data.get("endpoints", {}).items()}
    return TenantControls(tuple(data.get("messages", ())), endpoints)


def widget_json(config: WidgetConfig) -> dict[str, object]:
    """Return the configuration."""
    return asdict(config)


def widget_config(data: Mapping[str, Any]) -> WidgetConfig:
    """Return the configuration of a row; what an older row does not hold has its default."""
    values: dict[str, Any] = {name: tuple(data[name]) for name in ("suggested_questions", "allowed_domains")}
    values["theme"] = Theme(**data["theme"])
    values["behaviour"] = Behaviour(**data.get("behaviour", {}))
    values["translations"] = {
        tag: Words(words["texts"], tuple(words["suggested_questions"]))
        for tag, words in data.get("translations", {}).items()
    }
    if data.get("lead_form") is not None:
        fields = tuple(LeadField(**each) for each in data["lead_form"]["fields"])
        values["lead_form"] = LeadForm(**{**data["lead_form"], "fields": fields})
    return WidgetConfig(**{**data, **values})


def _moderation(data: Mapping[str, Any]) -> Moderation:
    lists = {name: tuple(data.get(name, ())) for name in ("forbidden_phrases", "forbidden_patterns")}
    return Moderation(**{**data, **lists})


def _filters(data: Mapping[str, Any]) -> DocumentFilters:
    conditions = [
        Condition(**{**each, "any_of": None if each["any_of"] is None else tuple(each["any_of"])})
        for each in data["conditions"]
    ]
    since, before = (None if data[name] is None else datetime.fromisoformat(data[name]) for name in ("since", "before"))
    return DocumentFilters(tuple(conditions), since, before)


def _form_json(form: ResponseFormat) -> dict[str, object]:
    """Return a form of answers, its schema as text: jsonb would forget the order, in which models write properties."""
    return {"kind": form.kind, "schema": None if form.schema is None else json.dumps(form.schema, ensure_ascii=False)}


def _form(data: Mapping[str, Any]) -> ResponseFormat:
    return ResponseFormat(data["kind"], None if data["schema"] is None else json.loads(data["schema"]))
