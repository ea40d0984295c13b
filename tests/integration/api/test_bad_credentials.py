"""Keys, tokens and registrations that open nothing."""

import time
import uuid
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.keys import KeyKind, make_key
from local.configuration import DATABASE
from tests.integration.api.clients import PASSWORD, WEBSITE, Caller, Company, granted, refused
from tests.stack import RunningStack

pytestmark = pytest.mark.usefixtures("the_next_request_works")
ELSEWHERE = "https://elsewhere.example"


async def key_of(company: Company, kind: str) -> tuple[str, str]:
    """The id of a new key, and the key."""
    made = granted(await company.staff.post("/v1/keys", {"kind": kind, "name": "Short-lived"}))
    return made["id"], made["key"]


async def config_with(company: Company, key: str, **headers: str) -> httpx.Response:
    return await company.http.get(f"/v1/widgets/{key}/config", headers={"Origin": WEBSITE} | headers)


async def test_keys_that_open_nothing(company: Company) -> None:
    tenant, stranger = TenantId(uuid.UUID(company.tenant_id)), TenantId(uuid.uuid4())
    publishable, secret = (make_key(kind, tenant).reveal() for kind in KeyKind)
    unknown = make_key(KeyKind.SECRET, stranger).reveal()

    for key in (secret, unknown, "sk_live_", "sk_live_x", company.secret_key[:-1], company.secret_key + "x",
                "sk_live_" + "z" * 54, company.secret_key[:-1] + "\xe9"):  # fmt: skip
        answer = await company.http.get("/v1/documents", headers={b"Authorization": f"Bearer {key}".encode("latin-1")})
        refused(answer, 401, "unknown_key")
    for key in (publishable, company.secret_key, "pk_live_x", company.widget_key[:-1], "%00", "%F0%9F%92%BE"):
        refused(await config_with(company, key), 401, "unknown_key")


async def test_a_revoked_key_ends_at_once(company: Company) -> None:
    key_id, key = await key_of(company, "secret")
    caller = Caller(company.http, key)
    assert (await caller.get("/v1/documents")).status_code == 200
    assert (await company.staff.delete(f"/v1/keys/{key_id}")).status_code == 204
    refused(await caller.get("/v1/documents"), 401, "key_revoked")
    refused(await caller.post("/v1/chat", {"message": "hello"}), 401, "key_revoked")
    key_id, key = await key_of(company, "publishable")
    assert (await config_with(company, key)).status_code == 200
    assert (await company.staff.delete(f"/v1/keys/{key_id}")).status_code == 204
    refused(await config_with(company, key), 401, "key_revoked")


async def test_an_expired_key_is_no_longer_valid(company: Company, stack: RunningStack) -> None:
    key_id, key = await key_of(company, "secret")
    url = stack.services.postgres.database_url(DATABASE)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as database:
        await database.execute("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = %s", [key_id])
    refused(await Caller(company.http, key).get("/v1/documents"), 401, "key_revoked")


@pytest.mark.parametrize("path", ["config", "token"])
async def test_a_widget_works_on_its_websites_only(company: Company, path: str) -> None:
    method = {"config": "GET", "token": "POST"}[path]

    async def call(**headers: str) -> httpx.Response:
        return await company.http.request(method, f"/v1/widgets/{company.widget_key}/{path}", headers=headers)

    assert (await call(Origin=WEBSITE)).status_code == 200
    refused(await call(), 403, "origin_required")
    refused(await call(Origin=""), 403, "origin_required")
    refused(await call(Origin="null"), 403, "origin_required")
    for origin in (ELSEWHERE, "http://localhost.evil.example", "http://evil.example/localhost", "ftp://localhost",
                   "http://[", "http://localhost:x", "localhost", "http://localhost@evil.example"):  # fmt: skip
        refused(await call(Origin=origin), 403, "origin_not_allowed")


async def test_a_chat_token_works_on_its_website_only(company: Company) -> None:
    visitor = await company.visitor()
    stolen = [
        (Caller(company.http, visitor.credential, ELSEWHERE), "origin_not_allowed"),
        (Caller(company.http, visitor.credential, "null"), "origin_not_allowed"),
        (Caller(company.http, visitor.credential, "http://["), "origin_not_allowed"),
        (Caller(company.http, visitor.credential), "origin_required"),
    ]

    for thief, code in stolen:
        refused(await thief.post("/v1/chat", {"message": "hello"}), 403, code)
        refused(await thief.post("/v1/chat/stream", {"message": "hello"}), 403, code)
        refused(await thief.post(f"/v1/messages/{uuid.uuid4()}/feedback", {"rating": "up"}), 403, code)
    refused(await stolen[0][0].get("/v1/conversations"), 403, "origin_not_allowed")


def altered(token: str, secret: str, **changes: Any) -> str:
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": jwt.get_unverified_header(token)["kid"]})


async def test_a_token_that_was_tampered_with_or_is_past_opens_nothing(company: Company, stack: RunningStack) -> None:
    visitor, now = await company.visitor(), int(time.time())
    secret = stack.settings["CHAT_TOKEN_SECRET"]
    header, payload, _ = visitor.credential.split(".")
    expired = altered(visitor.credential, secret, iat=now - 7200, exp=now - 3600)

    genuine = Caller(company.http, altered(visitor.credential, secret), WEBSITE)
    assert (await genuine.get("/v1/conversations")).is_success
    for path in ("/v1/conversations", f"/v1/chat/stream/{uuid.uuid4()}"):
        refused(await Caller(company.http, expired, WEBSITE).get(path), 401, "token_expired")
    refused(await Caller(company.http, expired, WEBSITE).post("/v1/chat", {"message": "m"}), 401, "token_expired")
    for token in (
        altered(visitor.credential, "another secret that is long enough for the algorithm"),
        altered(visitor.credential, secret, aud="staff"),
        jwt.encode(jwt.decode(visitor.credential, options={"verify_signature": False}), "", algorithm="none"),
        f"{header}.{payload}.",
        f"{header}.{payload}",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "token",
        "a.b.c",
    ):
        refused(await Caller(company.http, token, WEBSITE).post("/v1/chat", {"message": "hello"}), 401, "token_invalid")
        refused(await Caller(company.http, token).get("/v1/documents"), 401, "token_invalid")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
async def test_nobody_in_particular(company: Company, header: dict[str, str]) -> None:
    for method, path in (
        ("POST", "/v1/chat"), ("POST", "/v1/chat/stream"), ("GET", "/v1/conversations"), ("GET", "/v1/documents"),
        ("GET", "/v1/keys"), ("GET", "/v1/auth/me"), ("POST", "/v1/knowledge/search"), ("POST", "/v1/embed"),
    ):  # fmt: skip
        answer = await company.http.request(method, path, headers=header)
        refused(answer, 401, "unauthenticated")


async def test_a_visitor_is_no_member_and_a_member_no_visitor(company: Company) -> None:
    visitor = await company.visitor()

    for path in ("/v1/documents", "/v1/assistants", "/v1/keys", "/v1/widgets", "/v1/auth/me"):
        refused(await visitor.get(path), 401, "token_invalid")
    refused(await company.staff.post("/v1/chat", {"message": "hello"}), 401, "token_invalid")
    refused(await company.server.get("/v1/auth/me"), 401, "token_invalid")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, "invalid_email"),
        ({"password": "short"}, "weak_password"),
        ({"company": " "}, "invalid_request"),
        ({"allowed_domains": ["http://"]}, "invalid_domain"),
    ],
)
async def test_a_registration_that_cannot_be(company: Company, change: dict[str, Any], code: str) -> None:
    body = {"company": "Acme", "email": "new@example.com", "password": PASSWORD}

    refused(await company.http.post("/v1/auth/register", json=body | change), 400, code)


async def test_an_address_is_registered_once_and_opens_with_its_password_only(company: Company) -> None:
    taken = {"company": "Acme", "email": company.email.upper(), "password": PASSWORD}

    refused(await company.http.post("/v1/auth/register", json=taken), 409, "email_taken")
    assert (await company.http.post("/v1/auth/login", json=taken)).status_code == 200
    for wrong in (taken | {"password": "wrong password"}, taken | {"email": "nobody@example.com"}):
        refused(await company.http.post("/v1/auth/login", json=wrong), 401, "wrong_credentials")
