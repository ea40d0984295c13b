"""Two companies with near-identical documents: neither ever sees a byte of the other's, whatever it asks for."""

import pytest

from tests.integration.api.clients import PASSWORD, WEBSITE, Caller, granted, text_of
from tests.integration.api.conftest import OpenCompany
from tests.integration.api.parties import Party, names_a_thing_of_the_others, party
from tests.integration.api.routes import QUESTION, ROUTES, filled
from tests.stack import RunningStack


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

    assert listed == {"conversations": [], "next_cursor": None}
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
