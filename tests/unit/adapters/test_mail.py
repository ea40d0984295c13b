"""Mail: to SES, into files on a developer's machine, or nowhere."""

import stat
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import boto3
import pytest

from chatconnect import assembly
from chatconnect.adapters.mail_files import MailFiles
from chatconnect.adapters.ses import SesMailer
from chatconnect.domain.errors import Unavailable
from chatconnect.ports.mail import Mail
from chatconnect.settings import Settings

MAIL = Mail("ada@acme.example", "Willkommen, Ada – grüß dich", "Ein Link:\n\nhttps://chat.example/#reset=rst_secret\n")


async def test_ses_is_given_the_mail_from_a_verified_address(cloud: None) -> None:
    boto3.client("sesv2").create_email_identity(EmailIdentity="chat@example.com")

    await SesMailer("chat@example.com").send(MAIL)

    assert boto3.client("ses").get_send_quota()["SentLast24Hours"] == 1


async def test_a_refusal_by_ses_is_a_service_that_is_away(cloud: None) -> None:
    with pytest.raises(Unavailable) as failed:
        await SesMailer("unknown@example.com").send(MAIL)

    assert "rst_secret" not in failed.value.message


async def test_on_a_developers_machine_a_mail_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "mails"

    for _ in range(2):
        await MailFiles(folder).send(MAIL)

    first, _ = sorted(folder.iterdir())
    assert (stat.S_IMODE(first.stat().st_mode), first.suffix) == (0o600, ".eml")
    message = message_from_bytes(first.read_bytes(), policy=default)
    assert (message["To"], message["Subject"]) == (MAIL.to, MAIL.subject)
    assert message.get_content() == MAIL.text


async def test_a_deployment_without_an_address_sends_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAIL_SENDER", "MAIL_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(Unavailable):
        await assembly.mailer(Settings()).send(MAIL)


def test_the_links_in_mails_lead_beside_the_api_or_where_it_is_said() -> None:
    beside = Settings(public_api_url="https://chat.example/")

    assert assembly.dashboard_url(beside) == "https://chat.example/dashboard/"
    assert assembly.dashboard_url(Settings(dashboard_url="https://app.example/")) == "https://app.example/"
