"""A change by every route that the audit log tells of."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.api.clients import PASSWORD, Caller, Company, granted
from tests.integration.api.conftest import Mailbox
from tests.integration.api.parties import Party
from tests.integration.api.routes import CONFIGURATION, KNOWLEDGE_SOURCE, MCP_SERVER, ROUTES, TOOL, filled

CHANGING = ("POST", "PUT", "PATCH", "DELETE")

# Routes that change nothing which the log tells of, and why.
NOT_TOLD = {
    ("POST", "/v1/auth/refresh"): "a session goes on",
    ("POST", "/v1/auth/invitations/look"): "reads",
    ("POST", "/v1/knowledge/search"): "reads",
    ("POST", "/v1/embed"): "reads",
    ("POST", "/v1/data-requests/verify"): "reads",
    ("POST", "/v1/assistants/{assistant_id}/test"): "asks a model",
    ("POST", "/v1/knowledge-sources/{source_id}/test"): "asks a knowledge base",
    ("POST", "/v1/mcp-servers/{server_id}/refresh"): "asks a server",
    ("POST", "/v1/widgets/{key}/token"): "a visitor comes",
    ("POST", "/v1/chat"): "part of a conversation",
    ("POST", "/v1/chat/stream"): "part of a conversation",
    ("POST", "/v1/chat/{message_id}/cancel"): "part of a conversation",
    ("POST", "/v1/messages/{message_id}/feedback"): "part of a conversation",
    ("POST", "/v1/leads"): "a visitor's own words",
    ("POST", "/v1/conversations/{conversation_id}/fork"): "part of a conversation",
    ("POST", "/v1/conversations/{conversation_id}/archive"): "part of a conversation",
    ("POST", "/v1/conversations/{conversation_id}/unarchive"): "part of a conversation",
}


@dataclass(frozen=True)
class World:
    """A company that has everything, one more visitor there, a company whose owner can be spared, and an operator."""

    party: Party
    visitor_id: str
    other: Company
    operator: Caller
    mailbox: Mailbox

    @property
    def company(self) -> Company:
        return self.party.company

    @property
    def staff(self) -> Caller:
        return self.party.company.staff

    async def invitation(self, role: str = "viewer") -> tuple[str, str]:
        """The id of a new invitation and its address."""
        email = f"{role}-{secrets.token_hex(4)}@example.com"
        made = granted(await self.staff.post("/v1/invitations", {"email": email, "role": role}))
        return made["id"], email

    async def member(self, role: str = "viewer") -> dict[str, Any]:
        """The session of somebody who has just joined."""
        _, email = await self.invitation(role)
        session: dict[str, Any] = granted(await self.accept(email))
        return session

    async def accept(self, email: str) -> httpx.Response:
        body = {"token": self.mailbox.token(email, "invitation"), "password": PASSWORD}
        return await self.company.http.post("/v1/auth/invitations/accept", json=body)

    async def assistant(self) -> str:
        """The path of an assistant that nobody has talked to."""
        made = granted(await self.staff.post("/v1/assistants", CONFIGURATION))
        return f"/v1/assistants/{made['id']}"

    async def document(self) -> str:
        """The path of a document whose file has not come yet."""
        promised = granted(await self.company.promise("a.txt", 5))
        return f"/v1/documents/{promised['document']['id']}"


Act = Callable[[World], Awaitable[httpx.Response]]


async def register(world: World) -> httpx.Response:
    body = {"company": "Audited", "email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    return await world.company.http.post("/v1/auth/register", json=body)


async def log_in(world: World) -> httpx.Response:
    return await world.company.http.post("/v1/auth/login", json={"email": world.company.email, "password": PASSWORD})


async def log_out(world: World) -> httpx.Response:
    token = granted(await log_in(world))["refresh_token"]
    return await world.company.http.post("/v1/auth/logout", json={"refresh_token": token})


async def log_out_everywhere(world: World) -> httpx.Response:
    session = await world.member()
    return await Caller(world.company.http, session["access_token"]).post("/v1/auth/logout-everywhere")


async def end_session(world: World) -> httpx.Response:
    session = granted(await log_in(world))
    return await world.staff.delete(f"/v1/auth/sessions/{session['session_id']}")


async def switch(world: World) -> httpx.Response:
    body = {"email": world.other.email, "role": "viewer"}
    granted(await world.staff.post("/v1/invitations", body))
    granted(await world.accept(world.other.email))
    return await world.other.staff.post("/v1/auth/switch", {"tenant_id": world.company.tenant_id})


async def change_password(world: World) -> httpx.Response:
    session = await world.member()
    body = {"current_password": PASSWORD, "new_password": f"{PASSWORD}, changed"}
    return await Caller(world.company.http, session["access_token"]).post("/v1/auth/password", body)


async def forget_password(world: World) -> httpx.Response:
    return await world.company.http.post("/v1/auth/password/forgot", json={"email": world.other.email})


async def reset_password(world: World) -> httpx.Response:
    body = {"token": world.mailbox.token(world.other.email, "reset"), "password": f"{PASSWORD}, reset"}
    return await world.company.http.post("/v1/auth/password/reset", json=body)


async def accept_invitation(world: World) -> httpx.Response:
    return await world.accept((await world.invitation())[1])


async def invite(world: World) -> httpx.Response:
    wish = {"email": f"{secrets.token_hex(6)}@example.com", "role": "viewer"}
    return await world.staff.post("/v1/invitations", wish)


async def change_member(world: World) -> httpx.Response:
    member = (await world.member())["member"]
    return await world.staff.put(f"/v1/members/{member['member_id']}", {"role": "agent"})


async def remove_member(world: World) -> httpx.Response:
    member = (await world.member())["member"]
    return await world.staff.delete(f"/v1/members/{member['member_id']}")


async def transfer_ownership(world: World) -> httpx.Response:
    """There and back again."""
    session = await world.member("admin")
    given = await world.staff.post(f"/v1/members/{session['member']['member_id']}/transfer-ownership")
    new_owner = Caller(world.company.http, session["access_token"])
    back = await new_owner.post(f"/v1/members/{world.party.ids['member_id']}/transfer-ownership")
    assert back.is_success, back.text
    return given


async def disable_account(world: World) -> httpx.Response:
    account = (await world.member())["member"]["account_id"]
    return await world.operator.post(f"/v1/operator/accounts/{account}/disable")


async def enable_account(world: World) -> httpx.Response:
    account = (await world.member())["member"]["account_id"]
    granted(await world.operator.post(f"/v1/operator/accounts/{account}/disable"))
    return await world.operator.post(f"/v1/operator/accounts/{account}/enable")


def of_operator(method: str, action: str, body: Any = None) -> Act:
    async def act(world: World) -> httpx.Response:
        return await world.operator.request(method, f"/v1/operator/tenants/{world.other.tenant_id}/{action}", json=body)

    return act


def of_assistant(method: str, action: str, *before: str, body: Any = None) -> Act:
    async def act(world: World) -> httpx.Response:
        path = await world.assistant()
        for each in before:
            granted(await world.staff.post(f"{path}/{each}", CONFIGURATION | {"name": "y"}))
        return await world.staff.request(method, f"{path}{action}", json=body)

    return act


def of_staff(method: str, path: str, body: Any) -> Act:
    async def act(world: World) -> httpx.Response:
        return await world.staff.request(method, path.format(**world.party.ids), json=body)

    return act


async def delete_document(world: World) -> httpx.Response:
    return await world.staff.delete(await world.document())


async def delete_source(world: World) -> httpx.Response:
    made = granted(await world.staff.post("/v1/knowledge-sources", KNOWLEDGE_SOURCE | {"name": "unused"}))
    return await world.staff.delete(f"/v1/knowledge-sources/{made['id']}")


async def delete_widget(world: World) -> httpx.Response:
    made = granted(await world.staff.post("/v1/widgets", {"name": "Another"}))
    return await world.staff.delete(f"/v1/widgets/{made['id']}")


async def restore_widget(world: World) -> httpx.Response:
    settings = {"name": "Another", "allowed_domains": ["localhost"]}
    widget = f"/v1/widgets/{granted(await world.staff.post('/v1/widgets', settings))['id']}"
    granted(await world.staff.put(widget, settings | {"texts": {"title": "Changed"}}))
    return await world.staff.post(f"{widget}/versions/1/restore")


async def delete_documents(world: World) -> httpx.Response:
    document_id = (await world.document()).rpartition("/")[2]
    return await world.staff.post("/v1/documents/bulk", {"action": "delete", "ids": [document_id]})


async def unblock_visitor(world: World) -> httpx.Response:
    path = f"/v1/visitors/{world.visitor_id}/block"
    granted(await world.staff.post(path, {"reason": "x"}))
    return await world.staff.delete(path)


async def cancel_erasure(world: World) -> httpx.Response:
    requests = granted(await world.staff.get("/v1/data-requests"))["requests"]
    [waiting] = [request["id"] for request in requests if request["status"] == "waiting"]
    return await world.staff.post(f"/v1/data-requests/{waiting}/cancel")


# Where the other file's bodies would change nothing of one's own, or leave nothing for the next route.
OWN: dict[tuple[str, str], Act] = {
    ("POST", "/v1/auth/register"): register,
    ("POST", "/v1/auth/login"): log_in,
    ("POST", "/v1/auth/logout"): log_out,
    ("POST", "/v1/auth/logout-everywhere"): log_out_everywhere,
    ("DELETE", "/v1/auth/sessions/{session_id}"): end_session,
    ("POST", "/v1/auth/switch"): switch,
    ("POST", "/v1/auth/password"): change_password,
    ("POST", "/v1/auth/password/forgot"): forget_password,
    ("POST", "/v1/auth/password/reset"): reset_password,
    ("POST", "/v1/auth/invitations/accept"): accept_invitation,
    ("POST", "/v1/invitations"): invite,
    ("PUT", "/v1/members/{member_id}"): change_member,
    ("DELETE", "/v1/members/{member_id}"): remove_member,
    ("POST", "/v1/members/{member_id}/transfer-ownership"): transfer_ownership,
    ("PUT", "/v1/operator/tenants/{tenant_id}/plan"): of_operator("PUT", "plan", {"plan": "paid"}),
    ("POST", "/v1/operator/tenants/{tenant_id}/suspend"): of_operator("POST", "suspend"),
    ("POST", "/v1/operator/tenants/{tenant_id}/resume"): of_operator("POST", "resume"),
    ("POST", "/v1/operator/accounts/{account_id}/disable"): disable_account,
    ("POST", "/v1/operator/accounts/{account_id}/enable"): enable_account,
    ("DELETE", "/v1/assistants/{assistant_id}"): of_assistant("DELETE", ""),
    ("POST", "/v1/assistants/{assistant_id}/default"): of_assistant("POST", "/default"),
    ("POST", "/v1/assistants/{assistant_id}/archive"): of_assistant("POST", "/archive"),
    ("POST", "/v1/assistants/{assistant_id}/unarchive"): of_assistant("POST", "/unarchive", "archive"),
    ("POST", "/v1/assistants/{assistant_id}/publish"): of_assistant(
        "POST", "/publish", "versions", body={"version": 2}
    ),
    ("PUT", "/v1/tools/{tool_id}"): of_staff("PUT", "/v1/tools/{tool_id}", TOOL | {"name": "y"}),
    ("PUT", "/v1/mcp-servers/{server_id}"): of_staff("PUT", "/v1/mcp-servers/{server_id}", MCP_SERVER | {"name": "y"}),
    ("PUT", "/v1/knowledge-sources/{source_id}"): of_staff(
        "PUT", "/v1/knowledge-sources/{source_id}", KNOWLEDGE_SOURCE | {"name": "y"}
    ),
    ("DELETE", "/v1/knowledge-sources/{source_id}"): delete_source,
    ("DELETE", "/v1/documents/{document_id}"): delete_document,
    ("POST", "/v1/documents/bulk"): delete_documents,
    ("DELETE", "/v1/visitors/{visitor_id}/block"): unblock_visitor,
    ("POST", "/v1/tenants/{tenant_id}/erase"): of_staff("POST", "/v1/tenants/{tenant_id}/erase", {"name": "Audited"}),
    ("POST", "/v1/data-requests/{request_id}/cancel"): cancel_erasure,
    ("PUT", "/v1/usage/caps"): of_staff(
        "PUT", "/v1/usage/caps", {"caps": [{"measure": "messages", "period": "day", "hard": 500}]}
    ),
}


def lateness(route: tuple[str, str]) -> int:
    """What removes something comes after what changes it, and the end of a visitor with all they said comes last."""
    method, path = route
    if route in OWN:
        return 0
    return 2 if path.endswith("/erase") else int(method == "DELETE")


async def changed(world: World, route: tuple[str, str]) -> list[httpx.Response]:
    """Make the change of a route, in as many ways as are known."""
    if route in OWN:
        return [await OWN[route](world)]
    values = world.party.ids | {"email": world.company.email}
    method, template = route
    path = template.format(**values)
    return [await world.staff.request(method, path, json=filled(body, values)) for body in ROUTES[route]]
