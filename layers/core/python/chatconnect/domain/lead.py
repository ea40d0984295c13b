"""What visitors leave of themselves in a widget's form, to be contacted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import LeadId, TenantId, VisitorId, WidgetId
from chatconnect.domain.text import EMAIL, cleaned

MAX_FIELDS = 8
MAX_VALUE = 500
DEFAULT_CONSENT = "I agree that these details are stored and used to contact me."
"""What the widget says beside the box unless the owner has words of their own."""

_NAME = re.compile(r"[a-z_]{1,30}")
_PHONE = re.compile(r"\+?[\d ()/.-]{4,40}")


class FieldKind(StrEnum):
    """What a field takes; the values are those of HTML."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "tel"


@dataclass(frozen=True, slots=True)
class LeadField:
    """A field of the form. Its label is the widget's text "lead_" and its name, in the visitor's language."""

    name: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Invalid("a field's name has 1 to 30 of a-z and _", details={"field": "lead_form.fields"})
        object.__setattr__(self, "kind", FieldKind(self.kind))

    def checked(self, value: str) -> str:
        """Return what was filled in. Raises Invalid."""
        text, where = cleaned(value), {"field": f"fields.{self.name}"}
        if self.required and not text:
            raise Invalid("this field has to be filled in", code="field_required", details=where)
        fits = {FieldKind.EMAIL: EMAIL, FieldKind.PHONE: _PHONE}.get(self.kind)
        if len(text) > MAX_VALUE or (text and fits is not None and not fits.fullmatch(text)):
            raise Invalid(f"this is no {self.kind} of at most {MAX_VALUE} characters", details=where)
        return text


@dataclass(frozen=True, slots=True)
class LeadForm:
    """The form: `required` visitors fill it in before they ask; with `consent` they have to agree to its words."""

    fields: tuple[LeadField, ...] = (LeadField("email", FieldKind.EMAIL, required=True),)
    required: bool = False
    consent: bool = True

    def __post_init__(self) -> None:
        names = [each.name for each in self.fields]
        if not 1 <= len(names) <= MAX_FIELDS or len(set(names)) < len(names):
            raise Invalid(f"a form has 1 to {MAX_FIELDS} fields, each once", details={"field": "lead_form.fields"})

    def checked(self, values: Mapping[str, str], *, agreed: bool) -> dict[str, str]:
        """Return what was filled in, by the fields' names.

        Raises Invalid: a field that the form does not have or that is wrong; with code "consent_required" or
        "field_required".
        """
        unknown = set(values) - {each.name for each in self.fields}
        if unknown:
            raise Invalid("the form has no such field", details={"field": f"fields.{min(unknown)[:40]}"})
        if self.consent and not agreed:
            raise Invalid("this needs your consent", code="consent_required", details={"field": "consent"})
        checked = {each.name: each.checked(values.get(each.name, "")) for each in self.fields}
        return {name: value for name, value in checked.items() if value}


@dataclass(frozen=True, slots=True)
class Lead:
    """A form that a visitor sent; another one of theirs in the same widget takes its place.

    `consent` is what they agreed to, word for word; None: they were not asked.
    """

    id: LeadId
    tenant_id: TenantId
    widget_id: WidgetId
    visitor_id: VisitorId
    fields: Mapping[str, str]
    consent: str | None
    created_at: datetime
