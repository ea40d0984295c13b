"""What people write, what documents say, and every key and token: in no log, no error and no column in the clear."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import files
from tests.integration.api.clients import PASSWORD, Caller, Company, granted, sent_to_s3
from tests.integration.api.conftest import Model, OpenCompany
from tests.integration.api.tables import found_in_tables
from tests.integration.providers.conftest import Dialect
from tests.integration.providers.scripted import Act
from tests.stack import RunningStack

MESSAGE = "my iban is zanzibar-message-77"
ANSWER = "it is zanzibar-answer-77"
DOCUMENT = "The zanzibar-document-77 is buried under the oak."
TOKEN = "sk-zanzibar-token-77"
METADATA = "zanzibar-metadata-77"
FEEDBACK = "zanzibar-feedback-77"


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Zanzibar Ltd")


@pytest.fixture
async def visitor(company: Company, model: Model, stack: RunningStack) -> Caller:
    """A visitor after a day on which much went well and much went wrong."""
    visitor, question = await company.visitor(), {"message": MESSAGE, "metadata": {"note": METADATA}}
    await company.ingested("oak.txt", DOCUMENT.encode())
    for name, content in (
        ("cut.pdf", files.make_pdf([DOCUMENT] * 9)[:900]),
        ("no.csv", b"\x89PNG" + DOCUMENT.encode()),
    ):
        await company.until_processed(await company.upload(name, content))
    form = granted(await company.promise("lie.txt", 5))["upload"]
    await sent_to_s3(form | {"fields": form["fields"] | {"key": "elsewhere"}}, "lie.txt", DOCUMENT.encode())
    await company.found(DOCUMENT)
    configuration = await company.uses("openai", model.base_url, access_token=TOKEN) | {"access_token": TOKEN}
    echo = f'{{"error": {{"message": "{MESSAGE} {TOKEN}"}}}}'.encode()
    model.says(ANSWER)
    model.plays(
        *(Act((echo,), status, {"content-type": "application/json"}) for status in (400, 401, 429, 500, 500)),
        Act((f"data: {{{MESSAGE} {TOKEN}\n\n".encode(),)),
        Act(Dialect("openai").pieces(ANSWER), cut=True),
    )
    answer = await visitor.ask(MESSAGE, metadata={"note": METADATA})
    for _ in range(6):
        refused = await visitor.post("/v1/chat", question)
        assert refused.is_error
        assert "zanzibar" not in refused.text
    await visitor.post(f"/v1/messages/{answer['message_id']}/feedback", {"rating": "down", "text": FEEDBACK})
    await visitor.post("/v1/chat", {"message": [MESSAGE]})
    await visitor.request("POST", "/v1/chat", content=f'{{"message": "{MESSAGE}'.encode())
    await company.http.post("/v1/auth/register", json={"company": "x", "email": company.email, "password": PASSWORD})
    await company.http.post("/v1/auth/login", json={"email": company.email, "password": f"{PASSWORD}!"})
    for service in (stack.services.qdrant, stack.services.postgres):
        model.says(ANSWER)
        await service.stop()
        try:
            await visitor.post("/v1/chat", question)
            await visitor.post("/v1/chat/stream", question)
            await company.staff.post("/v1/knowledge/search", {"query": DOCUMENT})
            await company.staff.put(f"/v1/assistants/{company.assistant_id}", configuration)
        finally:
            await service.start()
    return visitor


def secrets_of(company: Company, visitor: Caller, stack: RunningStack) -> Iterator[str]:
    yield from (company.secret_key, company.widget_key, company.access_token, visitor.credential, TOKEN, PASSWORD)
    yield from (stack.settings["CHAT_TOKEN_SECRET"], stack.settings["SIGNING_SECRET"])


async def test_what_is_secret_stays_secret(company: Company, visitor: Caller, stack: RunningStack) -> None:
    secrets = set(secrets_of(company, visitor, stack))

    assert found_in_logs(stack.services.state, secrets | {"zanzibar", stack.secret_key, stack.staff_password}) == []
    assert await found_in_tables(stack, secrets) == []
    own = f"/v1/assistants/{company.assistant_id}"
    versions = [f"{own}/versions", f"{own}/versions/2", f"{own}/versions/2/changes"]
    for path in ("/v1/assistants", own, *versions, "/v1/keys", "/v1/widgets"):
        text = (await company.staff.get(path)).text
        assert [secret for secret in secrets if secret in text] == []
    assert granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))["has_access_token"]


async def test_tokens_of_sessions_and_mails_are_kept_as_hashes_alone(company: Company, stack: RunningStack) -> None:
    credentials = {"email": company.email, "password": PASSWORD}
    session = granted(await company.http.post("/v1/auth/login", json=credentials))
    following = granted(await company.http.post("/v1/auth/refresh", json={"refresh_token": session["refresh_token"]}))
    await company.staff.post("/v1/invitations", {"email": "zanzibar@example.com", "role": "agent"})
    await company.http.post("/v1/auth/password/forgot", json={"email": company.email})
    mails = "".join(path.read_text() for path in stack.services.mails.glob("*.eml"))
    tokens = {session["refresh_token"], following["refresh_token"], *re.findall(r"(?:inv|rst)_[\w=-]+", mails)}
    for token in tokens:
        await company.http.post("/v1/auth/password/reset", json={"token": token, "password": "short"})
        await company.http.post("/v1/auth/invitations/look", json={"token": f"{token}x"})

    await company.server.post("/v1/chat", {"message": "Who are you?"})
    assert len(tokens) >= 4
    assert found_in_logs(stack.services.state, tokens) == []
    assert await found_in_tables(stack, tokens) == []


async def test_a_token_that_is_refused_is_not_repeated(company: Company) -> None:
    stored = granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))

    for change in ({"access_token": f"{TOKEN} é"}, {"access_token": [TOKEN]}, {"access_token": TOKEN, "provider": "x"}):
        answer = await company.staff.put(f"/v1/assistants/{company.assistant_id}", stored | change)
        assert (answer.status_code, "zanzibar" in answer.text) == (400, False)


async def test_another_address_does_not_get_the_token(company: Company, model: Model) -> None:
    await company.uses("openai", "http://127.0.0.1:9/v1", access_token=TOKEN)
    model.says(ANSWER)

    moved = await company.uses("openai", model.base_url)
    await company.server.post("/v1/chat", {"message": MESSAGE})

    assert not moved["has_access_token"]
    assert model.prompts == []


def found_in_logs(state: Path, secrets: set[str]) -> list[tuple[str, str]]:
    logs = {path: path.read_text(errors="replace") for path in state.rglob("*.log")}
    assert {"api.log", "worker.log", "postgres.log", "aws.log", "qdrant.log"} <= {path.name for path in logs}
    assert "turn" in next(text for path, text in logs.items() if path.name == "api.log")
    return [(path.name, secret) for path, text in logs.items() for secret in secrets if secret in text]
