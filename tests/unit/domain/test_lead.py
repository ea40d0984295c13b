"""The form in which visitors leave how to reach them."""

from pathlib import Path

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.lead import DEFAULT_CONSENT, FieldKind, LeadField, LeadForm

WORDS = Path(__file__).resolve().parents[3] / "web" / "widget" / "texts.js"
FORM = LeadForm(
    (LeadField("email", FieldKind.EMAIL, required=True), LeadField("phone", FieldKind.PHONE), LeadField("town"))
)


def test_what_was_filled_in_is_kept_without_what_was_not() -> None:
    filled = {"email": " ada@example.com\u202e", "phone": "", "town": "Oslo\0"}

    assert FORM.checked(filled, agreed=True) == {"email": "ada@example.com", "town": "Oslo"}


@pytest.mark.parametrize(
    ("filled", "agreed", "code"),
    [
        ({"email": "ada@example.com"}, False, "consent_required"),
        ({"phone": "+47 12 34 56 78"}, True, "field_required"),
        ({"email": " "}, True, "field_required"),
        ({"email": "ada at example"}, True, "invalid_request"),
        ({"email": "ada@example.com", "phone": "call me"}, True, "invalid_request"),
        ({"email": "ada@example.com", "town": "x" * 501}, True, "invalid_request"),
        ({"email": "ada@example.com", "other": "x"}, True, "invalid_request"),
    ],
)
def test_a_form_that_is_not_filled_in_right_is_refused(filled: dict[str, str], agreed: bool, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        FORM.checked(filled, agreed=agreed)

    assert refusal.value.code == code


def test_what_is_kept_as_agreed_is_what_the_widget_says_by_itself() -> None:
    assert f'lead_consent: "{DEFAULT_CONSENT}"' in WORDS.read_text("utf-8")
