"""Widgets, people and their roles."""

from typing import Any

import pytest

from chatconnect.domain.errors import Forbidden, Invalid
from chatconnect.domain.identifiers import AccountId, MemberId, TenantId, new_id
from chatconnect.domain.principals import Staff
from chatconnect.domain.tenant import StaffRole, checked_email
from chatconnect.domain.widget import Theme, WidgetConfig


@pytest.mark.parametrize(
    "theme",
    [
        {"accent": "red"}, {"accent": "#fff"}, {"accent": "#2f6fed;}"}, {"mode": "black"}, {"position": "top"},
        {"avatar_url": "http://example.com/a.png"}, {"avatar_url": "javascript:alert(1)"},
    ],
)  # fmt: skip
def test_a_theme_that_could_break_the_page_is_refused(theme: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        Theme(**theme)

    assert refused.value.details["field"] == f"theme.{next(iter(theme))}"


@pytest.mark.parametrize(
    "config",
    [
        {"locale": "english please"}, {"locale": ""}, {"texts": {"Title!": "a"}}, {"texts": {"title": "a" * 501}},
        {"suggested_questions": ("a",) * 7}, {"suggested_questions": ("",)}, {"suggested_questions": ("a" * 201,)},
        {"allowed_domains": ("https://example.com",)}, {"allowed_domains": ("example.com",) * 101},
    ],
)  # fmt: skip
def test_a_widget_configuration_out_of_bounds_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        WidgetConfig(**config)


def test_a_widget_takes_any_language_and_keeps_its_domains_comparable() -> None:
    config = WidgetConfig(locale="pt-BR", texts={"title": "Olá! 👋"}, allowed_domains=("Example.COM", "*.münchen.de"))

    assert config.texts["title"] == "Olá! 👋"
    assert config.allowed_domains == ("example.com", "*.xn--mnchen-3ya.de")


@pytest.mark.parametrize("email", ["ada@example.com", " Ada@Example.COM ", "ada+tag@sub.example.co.uk"])
def test_an_address_is_kept_in_the_form_it_is_compared_in(email: str) -> None:
    assert checked_email(email) == email.strip().lower()


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "a@b@example.com", "ada@example..com",
     "a\0da@example.com", "ada@exam\0ple.com", "a" * 65 + "@example.com", "ada@" + "a" * 250 + ".com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_email(email)

    assert refused.value.code == "invalid_email"


def test_each_role_may_what_the_ones_below_it_may() -> None:
    order = [StaffRole.OWNER, StaffRole.ADMIN, StaffRole.AGENT, StaffRole.VIEWER]

    for place, role in enumerate(order):
        member = Staff(TenantId(new_id()), AccountId(new_id()), MemberId(new_id()), role)
        for needed in order[place:]:
            member.check_may(needed)
        for needed in order[:place]:
            with pytest.raises(Forbidden) as refused:
                member.check_may(needed)
            assert refused.value.code == "role_required"
