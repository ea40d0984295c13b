"""Widgets: several of them, in every language, with a form; and what a change of one does to websites."""

import base64
from typing import Any

import httpx
import pytest

from tests.integration.api.clients import WEBSITE, Caller, Company, granted, refused
from tests.integration.api.conftest import OpenCompany

PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 500).decode()
SETTINGS: dict[str, Any] = {
    "locale": "en",
    "texts": {"title": "Acme", "greeting": "Hello!"},
    "suggested_questions": ["What does it cost?"],
    "translations": {
        "de": {"texts": {"greeting": "Guten Tag!", "lead_consent": "Ich bin einverstanden."}},
        "pt-BR": {"texts": {"title": "Acme Brasil"}, "suggested_questions": ["Quanto custa?"]},
    },
    "theme": {"accent": "#123456", "on_accent": "#ffffff", "avatar_url": PICTURE},
    "behaviour": {"open_after_seconds": 5, "feedback": False, "sources": True},
    "lead_form": {
        "fields": [{"name": "email", "type": "email", "required": True}, {"name": "phone", "type": "tel"}],
        "required": True,
    },
    "allowed_domains": ["localhost"],
}


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Stark")


async def config(company: Company, key: str | None = None, locale: str = "", **headers: str) -> httpx.Response:
    path = f"/v1/widgets/{key or company.widget_key}/config"
    parameters = {"locale": locale} if locale else {}
    return await company.http.get(path, headers={"Origin": WEBSITE} | headers, params=parameters)


async def a_widget(company: Company, **settings: Any) -> tuple[dict[str, Any], str]:
    """A widget of its own, and a key that shows it."""
    widget = granted(await company.staff.post("/v1/widgets", {"name": "Shop", **SETTINGS, **settings}))
    wish = {"kind": "publishable", "name": "Shop", "widget_id": widget["id"]}
    return widget, granted(await company.staff.post("/v1/keys", wish))["key"]


async def test_a_company_has_several_widgets_each_with_its_key(company: Company) -> None:
    widget, key = await a_widget(company)

    shown = granted(await config(company, key))

    assert (shown["widget_id"], shown["texts"]["title"]) == (widget["id"], "Acme")
    assert granted(await config(company))["widget_id"] == company.widget_id
    listed = granted(await company.staff.get("/v1/widgets"))["widgets"]
    assert [each["id"] for each in listed] == [widget["id"], company.widget_id]
    for field in ("widget_id", "assistant_id"):
        wrong = {"kind": "secret", "name": "x", "widget_id": widget["id"]}
        refused(
            await company.staff.post("/v1/keys", wrong | {field: widget[field] if field in widget else widget["id"]}),
            400,
            "invalid_request",
        )
    assert (await company.staff.delete(f"/v1/widgets/{widget['id']}")).status_code == 204
    refused(await config(company, key), 401, "key_revoked")


async def test_a_visitor_is_spoken_to_in_their_language_or_else_in_the_widgets(company: Company) -> None:
    _, key = await a_widget(company)

    german, brazilian, other = [granted(await config(company, key, each)) for each in ("de-AT", "pt-br", "fr")]

    assert (german["locale"], german["texts"]["greeting"], german["texts"]["title"]) == ("de", "Guten Tag!", "Acme")
    assert german["suggested_questions"] == ["What does it cost?"]
    assert (brazilian["locale"], brazilian["suggested_questions"]) == ("pt-BR", ["Quanto custa?"])
    assert (other["locale"], other["texts"]) == ("en", SETTINGS["texts"])
    assert other["theme"] == SETTINGS["theme"] | {"mode": "auto", "position": "right"}
    assert other["behaviour"] == {"open_after_seconds": 5}
    assert other["features"] == {"feedback": False, "sources": True}
    assert other["lead_form"]["consent"] is True


async def test_an_unchanged_widget_is_not_sent_again_and_a_change_is_seen_at_once(company: Company) -> None:
    widget, key = await a_widget(company)
    first = await config(company, key)
    etag = first.headers["ETag"]

    unchanged = await config(company, key, **{"If-None-Match": f'W/{etag}, "x"'})
    granted(await company.staff.put(f"/v1/widgets/{widget['id']}", SETTINGS | {"texts": {"title": "New"}}))
    changed = await config(company, key, **{"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    assert unchanged.headers["Cache-Control"] == first.headers["Cache-Control"] == "private, max-age=60"
    assert (changed.status_code, changed.json()["texts"]) == (200, {"title": "New"})
    assert changed.headers["ETag"] != etag


async def test_every_state_of_a_widget_is_kept_with_its_author_and_comes_back(company: Company) -> None:
    widget, _ = await a_widget(company)
    path = f"/v1/widgets/{widget['id']}"
    granted(await company.server.put(path, SETTINGS | {"texts": {"title": "By a server"}}))

    restored = granted(await company.staff.post(f"{path}/versions/1/restore"))

    versions = granted(await company.staff.get(f"{path}/versions"))["versions"]
    assert [(each["number"], each["author"]) for each in versions] == [
        (3, company.email),
        (2, None),
        (1, company.email),
    ]
    assert versions[0]["settings"] == versions[2]["settings"]
    assert (restored["version"], restored["texts"], restored["name"]) == (3, SETTINGS["texts"], "Shop")
    refused(await company.staff.post(f"{path}/versions/9/restore"), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"theme": {"accent": "#777777", "on_accent": "#888888"}}, "low_contrast"),
        ({"theme": {"avatar_url": "https://elsewhere.example/a.png"}}, "avatar_host"),
        ({"theme": {"avatar_url": "data:image/svg+xml;base64,PHN2Zz4="}}, "invalid_picture"),
        ({"theme": {"avatar_url": "data:image/png;base64,PHN2Zz4="}}, "invalid_picture"),
        ({"theme": {"avatar_url": PICTURE + "A" * 40_000}}, "invalid_picture"),
        ({"behaviour": {"open_after_seconds": -1}}, "invalid_request"),
        ({"translations": {"not a language": {}}}, "invalid_request"),
        ({"translations": {"de": {"texts": {"A": "x"}}}}, "invalid_request"),
        ({"lead_form": {"fields": []}}, "invalid_request"),
        ({"lead_form": {"fields": [{"name": "a"}, {"name": "a"}]}}, "invalid_request"),
        ({"lead_form": {"fields": [{"name": "a", "type": "file"}]}}, "invalid_request"),
        ({"name": " "}, "invalid_request"),
    ],
)
async def test_settings_out_of_bounds_are_refused(company: Company, change: dict[str, Any], code: str) -> None:
    refused(await company.staff.put(f"/v1/widgets/{company.widget_id}", SETTINGS | change), 400, code)


async def test_an_avatar_from_the_widgets_own_website_is_taken(company: Company) -> None:
    theme = {"avatar_url": "https://www.stark.example/a.png"}
    wish = {"theme": theme, "allowed_domains": ["*.stark.example"]}

    widget, _ = await a_widget(company, **wish)

    assert widget["theme"]["avatar_url"] == theme["avatar_url"]


async def test_a_visitor_leaves_how_to_reach_them_and_staff_read_it(company: Company) -> None:
    widget, key = await a_widget(company)
    given = granted(await company.http.post(f"/v1/widgets/{key}/token", headers={"Origin": WEBSITE}))
    visitor = Caller(company.http, given["token"], WEBSITE)
    form = {"widget_id": widget["id"], "fields": {"email": " ada@example.com "}, "consent": True, "locale": "de"}

    refused(await visitor.post("/v1/leads", form | {"consent": False}), 400, "consent_required")
    refused(await visitor.post("/v1/leads", form | {"fields": {"phone": "123456"}}), 400, "field_required")
    refused(await visitor.post("/v1/leads", form | {"fields": {"email": "nowhere"}}), 400, "invalid_request")
    refused(await visitor.post("/v1/leads", form | {"fields": form["fields"] | {"age": "7"}}), 400, "invalid_request")
    refused(await visitor.post("/v1/leads", form | {"widget_id": company.widget_id}), 400, "no_lead_form")
    assert (await visitor.post("/v1/leads", form)).status_code == 204
    assert (await visitor.post("/v1/leads", form | {"fields": {"email": "ada@stark.example"}})).status_code == 204

    [lead] = granted(await company.staff.get("/v1/leads", visitor_id=given["visitor_id"]))["leads"]
    assert lead["fields"] == {"email": "ada@stark.example"}
    assert (lead["consent"], lead["widget_id"]) == ("Ich bin einverstanden.", widget["id"])
    assert granted(await company.staff.get("/v1/leads", limit=1))["cursor"] is None
    assert (await company.staff.delete(f"/v1/leads/{lead['id']}")).status_code == 204
    assert granted(await company.staff.get("/v1/leads"))["leads"] == []
