"""A company with a secret in everything that it can have."""

from dataclasses import dataclass
from typing import Any

from tests.integration.api.clients import WEBSITE, Caller, Company, granted
from tests.integration.api.routes import KNOWLEDGE_SOURCE, MCP_SERVER, QUESTION, TOOL


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


def names_a_thing_of_the_others(template: str, body: Any, other: Party) -> bool:
    """Filters and public keys may name anything; everything else may not."""
    named = {body.get(name) for name in other.ids} if isinstance(body, dict) else set()
    return "_id}" in template or ("{key}" not in template and bool(named & set(other.ids.values())))
