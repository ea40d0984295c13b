"""Mail by Amazon SES."""

from chatconnect.adapters.aws import aws_errors, call
from chatconnect.ports.mail import Mail


class SesMailer:
    """Sends from one address, which has to be verified with SES."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    async def send(self, mail: Mail, /) -> None:
        """Hand the mail over for delivery. Raises Unavailable."""
        content = {
            "Simple": {
                "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": mail.text, "Charset": "UTF-8"}},
            }
        }
        with aws_errors("the mail service"):
            await call(
                "sesv2",
                "send_email",
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.to]},
                Content=content,
            )
