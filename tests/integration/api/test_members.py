"""Members who come, change and go, and those who run the platform, over HTTP."""

import asyncio
import secrets

import pytest

from tests.integration.api.clients import PASSWORD, Caller, Company, granted, logged_in, refreshed, refused
from tests.integration.api.conftest import Mailbox, OpenCompany
from tests.integration.api.people import joined, made_operator
from tests.stack import RunningStack


@pytest.fixture
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Hooli")


async def test_a_person_is_invited_joins_and_is_out_with_their_next_request_when_removed(
    company: Company, mailbox: Mailbox
) -> None:
    admin, member_id = await joined(company, mailbox, "admin")
    granted(await admin.get("/v1/keys"))
    body = {"role": "viewer"}

    assert granted(await company.staff.put(f"/v1/members/{member_id}", body))["role"] == "viewer"
    refused(await admin.get("/v1/keys"), 403, "role_required")
    granted(await admin.get("/v1/widgets"))
    assert (await company.staff.delete(f"/v1/members/{member_id}")).status_code == 204

    refused(await admin.get("/v1/widgets"), 401, "session_ended")
    [owner] = granted(await company.staff.get("/v1/members"))["members"]
    assert (owner["email"], owner["role"]) == (company.email, "owner")


async def test_an_invitation_is_used_once_and_not_after_it_was_sent_again_or_revoked(
    company: Company, mailbox: Mailbox
) -> None:
    email = f"eve-{secrets.token_hex(4)}@example.com"
    invitation = granted(await company.staff.post("/v1/invitations", {"email": email, "role": "agent"}))
    first = mailbox.token(email, "invitation")
    refused(await company.staff.post("/v1/invitations", {"email": email, "role": "agent"}), 409, "already_invited")
    granted(await company.staff.post(f"/v1/invitations/{invitation['id']}/resend"))
    second = mailbox.token(email, "invitation")
    accept = "/v1/auth/invitations/accept"

    refused(await company.http.post(accept, json={"token": first, "password": PASSWORD}), 401, "invitation_invalid")
    offer = granted(await company.http.post("/v1/auth/invitations/look", json={"token": second}))
    assert offer == {"company": "Hooli", "email": email, "role": "agent", "has_account": False}
    body = {"token": second, "password": PASSWORD}
    answers = await asyncio.gather(*(company.http.post(accept, json=body) for _ in range(4)))

    assert [answer.is_success for answer in answers].count(True) == 1
    refused(await company.staff.delete(f"/v1/invitations/{invitation['id']}"), 409, "invitation_closed")
    assert granted(await company.staff.get("/v1/invitations")) == {"invitations": []}


async def test_a_member_of_two_companies_chooses_and_switches(
    company: Company, open_company: OpenCompany, mailbox: Mailbox
) -> None:
    other = await open_company("Aviato")
    granted(await other.staff.post("/v1/invitations", {"email": company.email, "role": "viewer"}))
    body = {"token": mailbox.token(company.email, "invitation"), "password": PASSWORD}
    granted(await company.http.post("/v1/auth/invitations/accept", json=body))

    session = await logged_in(company.http, company.email, tenant_id=other.tenant_id)
    there = Caller(company.http, session["access_token"])
    places = granted(await there.get("/v1/auth/tenants"))["tenants"]
    assert [(each["name"], each["role"], each["current"]) for each in places] == [
        ("Hooli", "owner", False),
        ("Aviato", "viewer", True),
    ]
    refused(await there.get("/v1/keys"), 403, "role_required")
    back = granted(await there.post("/v1/auth/switch", {"tenant_id": company.tenant_id}))

    assert back["refresh_token"] is None
    granted(await Caller(company.http, back["access_token"]).get("/v1/keys"))
    assert granted(await refreshed(company.http, session["refresh_token"]))["member"]["tenant_id"] == company.tenant_id
    refused(await company.staff.post("/v1/auth/switch", {"tenant_id": secrets.token_hex(16)}), 404, "not_found")


async def test_of_two_owners_who_leave_at_once_one_stays(company: Company, mailbox: Mailbox) -> None:
    second, second_id = await joined(company, mailbox, "owner")
    first_id = granted(await company.staff.get("/v1/auth/me"))["member_id"]

    answers = await asyncio.gather(
        company.staff.delete(f"/v1/members/{first_id}"), second.delete(f"/v1/members/{second_id}")
    )

    assert sorted(answer.status_code for answer in answers) == [204, 409]
    [last] = [answer for answer in answers if answer.status_code == 409]
    refused(last, 409, "last_owner")


async def test_a_secret_key_reaches_no_member_and_no_invitation(company: Company) -> None:
    for path in ("/v1/members", "/v1/invitations", "/v1/auth/sessions", "/v1/operator/tenants"):
        refused(await company.server.get(path), 401, "token_invalid")


# Operators


async def test_an_operator_suspends_a_company_which_then_lets_nobody_in(
    company: Company, open_company: OpenCompany, stack: RunningStack
) -> None:
    operator = await made_operator((await open_company("Platform")).staff, stack)
    visitor, path = await company.visitor(), f"/v1/operator/tenants/{company.tenant_id}"
    refused(await company.staff.post(f"{path}/suspend"), 403, "operator_required")
    await visitor.ask("Who are you?")

    assert granted(await operator.post(f"{path}/suspend"))["suspended_at"]

    refused(await visitor.post("/v1/chat", {"message": "Who are you?"}), 403, "tenant_suspended")
    refused(await company.server.post("/v1/chat", {"message": "Who are you?"}), 403, "tenant_suspended")
    refused(await company.server.get("/v1/documents"), 403, "tenant_suspended")
    refused(await company.staff.get("/v1/documents"), 403, "tenant_suspended")
    config = f"/v1/widgets/{company.widget_key}/config"
    refused(await company.http.get(config, headers={"Origin": "http://localhost:3000"}), 403, "tenant_suspended")
    assert granted(await company.staff.get("/v1/auth/tenants"))["tenants"][0]["suspended"]
    granted(await operator.post(f"{path}/resume"))
    await visitor.ask("Who are you?")
    granted(await company.staff.get("/v1/documents"))


async def test_an_operator_changes_a_plan_and_keeps_a_person_out(
    company: Company, open_company: OpenCompany, stack: RunningStack
) -> None:
    operator = await made_operator((await open_company("Platform")).staff, stack)
    path = f"/v1/operator/tenants/{company.tenant_id}"
    refused(await operator.put(f"{path}/plan", {"plan": "gold"}), 400, "unknown_plan")
    assert granted(await operator.put(f"{path}/plan", {"plan": "paid"}))["plan"] == "paid"
    assert granted(await operator.get(path))["plan"] == "paid"
    page = granted(await operator.get("/v1/operator/tenants", limit=1))
    assert page["next_after"] == page["tenants"][0]["id"]

    account = granted(await operator.get("/v1/operator/accounts", email=company.email))
    assert granted(await operator.post(f"/v1/operator/accounts/{account['id']}/disable"))["disabled_at"]

    refused(await company.staff.get("/v1/auth/me"), 401, "session_ended")
    credentials = {"email": company.email, "password": PASSWORD}
    refused(await company.http.post("/v1/auth/login", json=credentials), 401, "wrong_credentials")
    granted(await operator.post(f"/v1/operator/accounts/{account['id']}/enable"))
    await logged_in(company.http, company.email)
