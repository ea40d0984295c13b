"""Mail on a developer's machine: a file for each, that only its owner can read. And no mail at all."""

import asyncio
import os
import time
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

from chatconnect.domain.errors import Unavailable
from chatconnect.ports.mail import Mail


class MailFiles:
    """Writes mails into a folder as `<time>-<random>.eml`, so that the last one is the newest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Mail, /) -> None:
        """Write the mail down."""
        await asyncio.to_thread(self._write, mail)

    def _write(self, mail: Mail) -> None:
        message = EmailMessage()
        message["To"], message["Subject"] = mail.to, mail.subject
        message.set_content(mail.text, cte="8bit")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns()}-{uuid4().hex[:8]}.eml"
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        draft.replace(path)


class NoMailer:
    """A deployment that has no address to send from."""

    async def send(self, _mail: Mail, /) -> None:
        """Raise Unavailable."""
        raise Unavailable("the mail service")
