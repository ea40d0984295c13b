"""Two companies with near-identical documents: neither ever sees a byte of the other's, whatever it asks for."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.api.clients import PASSWORD, WEBSITE, Caller, Company, granted, text_of
from tests.integration.api.conftest import OpenCompany
from tests.stack import RunningStack

QUESTION = "What is the code of the vault in the warehouse?"


@dataclass(frozen=True)
class Party:
    """A company, its visitor, the word that only it knows, and the ids of all that it has."""

    company: Company
    visitor: Caller
    secret: str
    ids: dict[str, str]

    @property
    def callers(self) -> dict[str, Caller]:
        return {"visitor": self.visitor, "server": self.company.server, "staff": self.company.staff}


async def party(company: Company, secret: str) -> Party:
    """Put the secret into everything that a company can have."""
    document = await company.ingested(
        f"Vault {secret}.txt",
        f"The code of the vault in the warehouse is {secret}.".encode(),
        metadata={"note": f"note {secret}"},
    )
    await company.uses("offline", system_prompt=f"{{refusal}} {secret}", name=secret, refusal=f"Not even {secret}.")
    me = granted(await company.staff.get("/v1/auth/me"))
    wanted = {"email": f"{secret}@example.com", "role": "viewer"}
    invitation = granted(await company.staff.post("/v1/invitations", wanted))
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": secret}))
    identity = granted(await company.staff.post("/v1/identity-secrets"))
    own = TOOL | {"name": f"tool-{secret}", "description": secret, "headers": {"authorization": secret}}
    tool = granted(await company.staff.post("/v1/tools", own))
    own = MCP_SERVER | {"name": f"server-{secret}", "headers": {"authorization": secret}}
    server = granted(await company.staff.post("/v1/mcp-servers", own))
    elsewhere = KNOWLEDGE_SOURCE | {"name": f"source-{secret}", "api_key": secret}
    source = granted(await company.staff.post("/v1/knowledge-sources", elsewhere))
    given = await company.http.post(f"/v1/widgets/{company.widget_key}/token", headers={"Origin": WEBSITE})
    visitor = Caller(company.http, granted(given)["token"], WEBSITE)
    answer = await visitor.ask(f"{QUESTION} I heard {secret}.", metadata={"note": secret})
    assert secret in answer["text"]
    endpoint = f"faq-{secret.lower()}"
    controls = {"messages": [secret], "endpoints": {endpoint: {"messages": [secret]}}}
    granted(await company.staff.put(f"/v1/tenants/{company.tenant_id}/control-messages", controls))
    instructions = f"/v1/conversations/{answer['conversation_id']}/instructions"
    granted(await company.staff.put(instructions, {"instructions": secret}))
    unwelcome = granted(await company.http.post(given.request.url.path, headers={"Origin": WEBSITE}))
    await Caller(company.http, unwelcome["token"], WEBSITE).ask(secret)
    granted(await company.staff.post(f"/v1/visitors/{unwelcome['visitor_id']}/block", {"reason": secret}))
    archive = granted(await company.staff.post(f"/v1/visitors/{unwelcome['visitor_id']}/export"))
    feedback = {"rating": "up", "text": secret}
    await visitor.post(f"/v1/messages/{answer['message_id']}/feedback", feedback)
    settings = {"allowed_domains": ["localhost"], "lead_form": {"fields": [{"name": "note"}]}}
    granted(await company.staff.put(f"/v1/widgets/{company.widget_id}", settings))
    left = {"widget_id": company.widget_id, "fields": {"note": secret}, "consent": True}
    assert (await visitor.post("/v1/leads", left)).is_success
    [lead] = granted(await company.staff.get("/v1/leads"))["leads"]
    ids = {
        "tenant_id": company.tenant_id,
        "assistant_id": company.assistant_id,
        "widget_id": company.widget_id,
        "lead_id": lead["id"],
        "document_id": document["id"],
        "position": "0",
        "note": f"note {secret}",
        "session_id": me["session_id"],
        "account_id": me["account_id"],
        "member_id": me["member_id"],
        "invitation_id": invitation["id"],
        "key_id": key["id"],
        "secret_id": identity["id"],
        "tool_id": tool["id"],
        "server_id": server["id"],
        "source_id": source["id"],
        "request_id": archive["id"],
        "endpoint": endpoint,
        "number": "1",
        "key": company.widget_key,
        "visitor_id": granted(given)["visitor_id"],
        "conversation_id": answer["conversation_id"],
        "message_id": answer["message_id"],
    }
    return Party(company, visitor, secret, ids)


@pytest.fixture(scope="module")
async def parties(open_company: OpenCompany) -> tuple[Party, Party]:
    """They are called alike, too."""
    first, second = await open_company("Wayne"), await open_company("Wayne")
    return await party(first, "MARIGOLD-4711"), await party(second, "HYACINTH-9034")


@pytest.fixture(params=["the first of the second", "the second of the first"])
def attack(request: pytest.FixtureRequest, parties: tuple[Party, Party]) -> tuple[Party, Party]:
    """Who asks, and whose secrets they are after."""
    first, second = parties
    return (first, second) if request.param.startswith("the first") else (second, first)


CONFIGURATION = {"name": "x", "provider": "offline", "model": "x", "system_prompt": "x", "refusal": "x"}
UPLOAD = {"filename": "a.txt", "content_type": "", "size": 5}
TOOL = {"name": "x", "description": "x", "parameters": {"type": "object"}, "url": "https://x.example.com"}
MCP_SERVER = {"name": "x", "url": "http://127.0.0.1:9/mcp"}
KNOWLEDGE_SOURCE = {"name": "x", "base_url": "http://127.0.0.1:9", "dataset_id": "x", "api_key": "dataset-x"}
CREDENTIALS = {"email": "{email}", "password": "wrong password"}

# Every route of the API with the bodies to try; what stands in braces is the other party's.
ROUTES: dict[tuple[str, str], list[Any]] = {
    ("GET", "/health"): [None],
    ("GET", "/health/ready"): [None],
    ("GET", "/v1/realtime"): [None],
    ("POST", "/v1/auth/register"): [CREDENTIALS | {"company": "x"}],
    ("POST", "/v1/auth/login"): [CREDENTIALS],
    ("POST", "/v1/auth/refresh"): [None, {"refresh_token": "x"}],
    ("POST", "/v1/auth/logout"): [None, {"refresh_token": "x"}],
    ("POST", "/v1/auth/logout-everywhere"): [{"keep_current": True}],
    ("GET", "/v1/auth/me"): [None],
    ("GET", "/v1/auth/sessions"): [None],
    ("DELETE", "/v1/auth/sessions/{session_id}"): [None],
    ("GET", "/v1/auth/tenants"): [None],
    ("POST", "/v1/auth/switch"): [{"tenant_id": "{tenant_id}"}],
    ("POST", "/v1/auth/password"): [{"current_password": "wrong password", "new_password": "another password"}],
    ("POST", "/v1/auth/password/forgot"): [{"email": "{email}"}],
    ("POST", "/v1/auth/password/reset"): [{"token": "x", "password": "another password"}],
    ("POST", "/v1/auth/invitations/look"): [{"token": "x"}],
    ("POST", "/v1/auth/invitations/accept"): [{"token": "x", "password": "another password"}],
    ("GET", "/v1/members"): [None],
    ("PUT", "/v1/members/{member_id}"): [{"role": "viewer"}],
    ("DELETE", "/v1/members/{member_id}"): [None],
    ("POST", "/v1/members/{member_id}/transfer-ownership"): [None],
    ("GET", "/v1/invitations"): [None],
    ("POST", "/v1/invitations"): [{"email": "{email}", "role": "owner"}],
    ("POST", "/v1/invitations/{invitation_id}/resend"): [None],
    ("DELETE", "/v1/invitations/{invitation_id}"): [None],
    ("GET", "/v1/operator/tenants"): [None],
    ("GET", "/v1/operator/tenants/{tenant_id}"): [None],
    ("PUT", "/v1/operator/tenants/{tenant_id}/plan"): [{"plan": "paid"}],
    ("POST", "/v1/operator/tenants/{tenant_id}/suspend"): [None],
    ("POST", "/v1/operator/tenants/{tenant_id}/resume"): [None],
    ("GET", "/v1/operator/accounts"): [None],
    ("POST", "/v1/operator/accounts/{account_id}/disable"): [None],
    ("POST", "/v1/operator/accounts/{account_id}/enable"): [None],
    ("GET", "/v1/keys"): [None],
    ("POST", "/v1/keys"): [{"kind": "secret", "name": "x", "assistant_id": "{assistant_id}"}],
    ("POST", "/v1/keys/{key_id}/rotate"): [None, {"overlap_hours": 0}],
    ("DELETE", "/v1/keys/{key_id}"): [None],
    ("GET", "/v1/identity-secrets"): [None],
    ("POST", "/v1/identity-secrets"): [None],
    ("DELETE", "/v1/identity-secrets/{secret_id}"): [None],
    ("GET", "/v1/assistants"): [None],
    ("GET", "/v1/assistants/{assistant_id}"): [None],
    ("PUT", "/v1/assistants/{assistant_id}"): [
        CONFIGURATION,
        CONFIGURATION | {"retrieval": {"knowledge_source": "{source_id}"}},
    ],
    ("POST", "/v1/assistants"): [CONFIGURATION | {"retrieval": {"knowledge_source": "{source_id}"}}, CONFIGURATION],
    ("PATCH", "/v1/assistants/{assistant_id}"): [{"name": "x"}],
    ("DELETE", "/v1/assistants/{assistant_id}"): [None],
    ("POST", "/v1/assistants/{assistant_id}/default"): [None],
    ("POST", "/v1/assistants/{assistant_id}/archive"): [None],
    ("POST", "/v1/assistants/{assistant_id}/unarchive"): [None],
    ("GET", "/v1/assistants/{assistant_id}/versions"): [None],
    ("POST", "/v1/assistants/{assistant_id}/versions"): [
        CONFIGURATION,
        CONFIGURATION | {"retrieval": {"knowledge_source": "{source_id}"}},
    ],
    ("GET", "/v1/assistants/{assistant_id}/versions/{number}"): [None],
    ("GET", "/v1/assistants/{assistant_id}/versions/{number}/changes"): [None],
    ("POST", "/v1/assistants/{assistant_id}/publish"): [{"version": 1}],
    ("POST", "/v1/assistants/{assistant_id}/rollback"): [{"version": 1}],
    ("POST", "/v1/assistants/{assistant_id}/test"): [{}, {"version": 1}],
    ("GET", "/v1/tools"): [None],
    ("POST", "/v1/tools"): [TOOL],
    ("PUT", "/v1/tools/{tool_id}"): [TOOL],
    ("DELETE", "/v1/tools/{tool_id}"): [None],
    ("GET", "/v1/mcp-servers"): [None],
    ("POST", "/v1/mcp-servers"): [MCP_SERVER],
    ("GET", "/v1/mcp-servers/{server_id}"): [None],
    ("PUT", "/v1/mcp-servers/{server_id}"): [MCP_SERVER],
    ("POST", "/v1/mcp-servers/{server_id}/refresh"): [None],
    ("DELETE", "/v1/mcp-servers/{server_id}"): [None],
    ("GET", "/v1/knowledge-sources"): [None],
    ("POST", "/v1/knowledge-sources"): [KNOWLEDGE_SOURCE],
    ("GET", "/v1/knowledge-sources/{source_id}"): [None],
    ("PUT", "/v1/knowledge-sources/{source_id}"): [KNOWLEDGE_SOURCE],
    ("POST", "/v1/knowledge-sources/{source_id}/test"): [{"query": QUESTION}],
    ("DELETE", "/v1/knowledge-sources/{source_id}"): [None],
    ("GET", "/v1/widgets"): [None],
    ("PUT", "/v1/widgets/{widget_id}"): [
        {"texts": {"title": "x"}},
        {"texts": {"title": "x"}, "assistant_id": "{assistant_id}"},
    ],
    ("POST", "/v1/widgets"): [
        {"name": "x", "allowed_domains": ["localhost"]},
        {"name": "x", "allowed_domains": ["localhost"], "assistant_id": "{assistant_id}"},
    ],
    ("DELETE", "/v1/widgets/{widget_id}"): [None],
    ("GET", "/v1/widgets/{widget_id}/versions"): [None],
    ("POST", "/v1/widgets/{widget_id}/versions/{number}/restore"): [None],
    ("GET", "/v1/leads"): [None],
    ("POST", "/v1/leads"): [{"widget_id": "{widget_id}", "fields": {"email": "x@example.com"}, "consent": True}],
    ("DELETE", "/v1/leads/{lead_id}"): [None],
    ("GET", "/v1/widgets/{key}/config"): [None],
    ("POST", "/v1/widgets/{key}/token"): [
        None,
        {"visitor_id": "{visitor_id}"},
        {"visitor_id": "{visitor_id}", "identity": {"user_id": "{visitor_id}", "user_hash": "0" * 64}},
    ],
    ("GET", "/v1/documents"): [None],
    ("POST", "/v1/documents"): [UPLOAD | {"document_id": "{document_id}"}],
    ("POST", "/v1/documents/bulk"): [
        {"action": "reprocess", "ids": ["{document_id}"]},
        {"action": "delete", "ids": ["{document_id}"]},
    ],
    ("PATCH", "/v1/documents/{document_id}"): [{"title": "x", "metadata": {}}],
    ("GET", "/v1/documents/{document_id}"): [None],
    ("DELETE", "/v1/documents/{document_id}"): [None],
    ("GET", "/v1/documents/{document_id}/versions"): [None],
    ("GET", "/v1/documents/{document_id}/chunks"): [None],
    ("GET", "/v1/documents/{document_id}/chunks/{position}"): [None],
    ("GET", "/v1/documents/{document_id}/download"): [None],
    ("POST", "/v1/documents/{document_id}/reprocess"): [None],
    ("POST", "/v1/knowledge/search"): [
        {"query": QUESTION, "limit": 20, "threshold": 0},
        {"query": QUESTION, "threshold": 0, "filters": {"document_ids": ["{document_id}"]}},
        {"query": QUESTION, "threshold": 0, "filters": {"metadata": {"note": "{note}"}}},
    ],
    ("POST", "/v1/embed"): [{"texts": [QUESTION]}],
    ("POST", "/v1/chat"): [
        {"message": QUESTION},
        {"message": QUESTION, "conversation_id": "{conversation_id}"},
        {"regenerate": "{message_id}"},
        {"message": QUESTION, "endpoint": "{endpoint}"},
    ],
    ("POST", "/v1/chat/stream"): [
        {"message": QUESTION},
        {"message": QUESTION, "conversation_id": "{conversation_id}", "parent_id": "{message_id}"},
    ],
    ("GET", "/v1/chat/stream/{message_id}"): [None],
    ("POST", "/v1/chat/{message_id}/cancel"): [None],
    ("GET", "/v1/conversations"): [None],
    ("GET", "/v1/conversations/{conversation_id}"): [None],
    ("GET", "/v1/conversations/{conversation_id}/branches"): [None],
    ("POST", "/v1/conversations/{conversation_id}/fork"): [{"message_id": "{message_id}"}],
    ("POST", "/v1/conversations/{conversation_id}/archive"): [None],
    ("POST", "/v1/conversations/{conversation_id}/unarchive"): [None],
    ("GET", "/v1/plans"): [None],
    ("GET", "/v1/tenants/{tenant_id}"): [None],
    ("GET", "/v1/audit"): [None],
    ("GET", "/v1/audit/export"): [None],
    ("GET", "/v1/usage"): [None],
    ("GET", "/v1/usage/caps"): [None],
    ("PUT", "/v1/usage/caps"): [{"caps": []}],
    ("GET", "/v1/tenants/{tenant_id}/chunking"): [None],
    ("PUT", "/v1/tenants/{tenant_id}/chunking"): [{"tokens": 100, "overlap": 0}],
    ("GET", "/v1/tenants/{tenant_id}/control-messages"): [None],
    ("PUT", "/v1/tenants/{tenant_id}/control-messages"): [{"messages": ["x"]}],
    ("GET", "/v1/conversations/{conversation_id}/instructions"): [None],
    ("PUT", "/v1/conversations/{conversation_id}/instructions"): [{"instructions": "x"}],
    ("GET", "/v1/visitors/blocked"): [None],
    ("GET", "/v1/visitors/{visitor_id}"): [None],
    ("POST", "/v1/visitors/{visitor_id}/block"): [{"reason": "x"}],
    ("DELETE", "/v1/visitors/{visitor_id}/block"): [None],
    ("GET", "/v1/abuse"): [None],
    ("POST", "/v1/visitors/{visitor_id}/export"): [None],
    ("POST", "/v1/visitors/{visitor_id}/erase"): [None],
    ("POST", "/v1/tenants/{tenant_id}/export"): [None],
    ("POST", "/v1/tenants/{tenant_id}/erase"): [{"name": "Wayne"}],
    ("GET", "/v1/data-requests"): [None],
    ("GET", "/v1/data-requests/{request_id}"): [None],
    ("POST", "/v1/data-requests/{request_id}/cancel"): [None],
    ("POST", "/v1/data-requests/verify"): [{"receipt": {}, "signature": "x"}],
    ("GET", "/v1/operator/tenants/{tenant_id}/data-requests"): [None],
    ("GET", "/v1/tenants/{tenant_id}/retention"): [None],
    ("PUT", "/v1/tenants/{tenant_id}/retention"): [{"conversation_days": 1, "audit_days": 1}],
    ("GET", "/v1/messages/{message_id}/prompt"): [None],
    ("POST", "/v1/messages/{message_id}/feedback"): [{"rating": "down"}],
}
REFUSALS = (401, 403, 404, 409)


async def test_every_route_is_among_those_that_are_tried(parties: tuple[Party, Party], stack: RunningStack) -> None:
    document = granted(await parties[0].company.http.get("/openapi.json"))

    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert routes == set(ROUTES)


async def test_no_route_gives_away_the_others_secret(attack: tuple[Party, Party]) -> None:
    asking, other = attack
    documented = granted(await asking.company.http.get("/openapi.json"))["paths"]
    values = other.ids | {"email": other.company.email}

    for (method, template), bodies in ROUTES.items():
        for body in bodies:
            wanted, path = filled(body, values), template.format(**values)
            for name, caller in asking.callers.items():
                response = await caller.request(method, path, json=wanted)

                where = (name, method, path, wanted, response.status_code)
                assert other.secret not in response.text + str(response.headers), where
                assert response.status_code < 500, where
                assert str(response.status_code) in documented[template][method.lower()]["responses"], where
                if names_a_thing_of_the_others(template, wanted, other):
                    assert response.status_code in REFUSALS, where


def filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    return value.format(**values) if isinstance(value, str) else value


def names_a_thing_of_the_others(template: str, body: Any, other: Party) -> bool:
    """Filters and public keys may name anything; everything else may not."""
    named = {body.get(name) for name in other.ids} if isinstance(body, dict) else set()
    return "_id}" in template or ("{key}" not in template and bool(named & set(other.ids.values())))


async def test_each_gets_its_own_answer_to_the_same_question(attack: tuple[Party, Party]) -> None:
    asking, other = attack

    for caller in (asking.visitor, asking.company.server):
        whole = await caller.ask(QUESTION)
        streamed = await caller.stream(QUESTION)
        for text in (whole["text"] + str(whole["citations"]), text_of(streamed) + str(streamed)):
            assert asking.secret in text
            assert other.secret not in text


async def test_an_assistant_that_may_read_the_others_documents_only_finds_none(attack: tuple[Party, Party]) -> None:
    asking, other = attack

    await asking.company.uses("offline", retrieval={"document_ids": [other.ids["document_id"]], "threshold": 0})
    answer = await asking.company.server.ask(QUESTION)
    await asking.company.uses("offline", retrieval={})

    assert other.secret not in str(answer)
    assert answer["citations"] == []


async def test_an_assistant_cannot_be_given_the_others_knowledge_source(attack: tuple[Party, Party]) -> None:
    asking, other = attack
    path = f"/v1/assistants/{asking.ids['assistant_id']}"
    stored = granted(await asking.company.staff.get(path))

    answer = await asking.company.staff.put(path, stored | {"retrieval": {"knowledge_source": other.ids["source_id"]}})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert granted(await asking.company.staff.get(path)) == stored


async def test_the_id_of_the_others_visitor_opens_nothing(attack: tuple[Party, Party]) -> None:
    asking, other = attack
    body = {"visitor_id": other.ids["visitor_id"]}
    path = f"/v1/widgets/{asking.company.widget_key}/token"
    given = await asking.company.http.post(path, headers={"Origin": WEBSITE}, json=body)
    impostor = Caller(asking.company.http, granted(given)["token"], WEBSITE)

    listed = granted(await impostor.get("/v1/conversations"))
    read = await impostor.get(f"/v1/conversations/{other.ids['conversation_id']}")

    assert listed == {"conversations": []}
    assert read.status_code == 404


async def test_a_key_with_the_others_tenant_in_it_opens_nothing(attack: tuple[Party, Party]) -> None:
    asking, other = attack
    prefix = len("sk_live_") + 22
    forged = other.company.secret_key[:prefix] + asking.company.secret_key[prefix:]

    answer = await Caller(asking.company.http, forged).get("/v1/documents")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unknown_key")


async def test_nothing_of_theirs_was_changed_by_all_that(parties: tuple[Party, Party]) -> None:
    for owner in parties:
        company, ids = owner.company, owner.ids
        document = granted(await company.server.get(f"/v1/documents/{ids['document_id']}"))
        assert (document["status"], document["version"]) == ("ready", 1)
        assistant = granted(await company.staff.get(f"/v1/assistants/{ids['assistant_id']}"))
        assert (assistant["name"], owner.secret in assistant["system_prompt"]) == (owner.secret, True)
        thread = await owner.visitor.conversation(ids["conversation_id"])
        assert [owner.secret in message["text"] for message in thread["messages"]] == [True, True]
        controls = granted(await company.staff.get(f"/v1/tenants/{ids['tenant_id']}/control-messages"))
        assert (controls["messages"], list(controls["endpoints"])) == ([owner.secret], [ids["endpoint"]])
        own = granted(await company.staff.get(f"/v1/conversations/{ids['conversation_id']}/instructions"))
        assert own["instructions"] == owner.secret
        blocked = granted(await company.staff.get("/v1/visitors/blocked"))["visitors"]
        assert [visitor["block"]["reason"] for visitor in blocked] == [owner.secret]
        keys = granted(await company.staff.get("/v1/keys"))["keys"]
        assert {key["id"]: (key["revoked_at"], key["replaced_by"]) for key in keys}[ids["key_id"]] == (None, None)
        secrets = granted(await company.staff.get("/v1/identity-secrets"))["secrets"]
        assert ids["secret_id"] in [each["id"] for each in secrets]
        server = granted(await company.staff.get(f"/v1/mcp-servers/{ids['server_id']}"))
        assert (server["name"], server["headers"]) == (f"server-{owner.secret}", ["authorization"])
        source = granted(await company.staff.get(f"/v1/knowledge-sources/{ids['source_id']}"))
        assert (source["name"], source["dataset_id"]) == (f"source-{owner.secret}", "x")
        invitations = granted(await company.staff.get("/v1/invitations"))["invitations"]
        assert ids["invitation_id"] in [invitation["id"] for invitation in invitations]
        [member] = granted(await company.staff.get("/v1/members"))["members"]
        assert (member["id"], member["role"]) == (ids["member_id"], "owner")
        credentials = {"email": company.email, "password": PASSWORD}
        assert granted(await company.http.post("/v1/auth/login", json=credentials))["member"]["role"] == "owner"
