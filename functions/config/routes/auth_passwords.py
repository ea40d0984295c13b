"""A person's own password: changing it, and setting a new one by mail."""

from fastapi import APIRouter
from pydantic import BaseModel

from chatconnect.http.errors import responses
from chatconnect.http.sessions import CallingClient, CurrentPerson
from functions.config.routes.auth_bodies import Password, Token
from functions.config.routes.secret_fields import revealed
from functions.config.services import Accounts

router = APIRouter(prefix="/v1/auth/password", tags=["accounts"])


class PasswordChange(BaseModel):
    """The present password and the new one."""

    current_password: Password
    new_password: Password


class ResetRequest(BaseModel):
    """Whose password was forgotten."""

    email: str


class PasswordReset(BaseModel):
    """The token from the mail's link (after `#reset=`), and the new password."""

    token: Token
    password: Password


@router.post("", status_code=204, responses=responses(401, 429))
async def change_password(
    body: PasswordChange, person: CurrentPerson, accounts: Accounts, client: CallingClient
) -> None:
    """Replace the password; all other sessions of the person end. 400 `wrong_password`, `weak_password`."""
    await accounts.change_password(person, revealed(body.current_password), revealed(body.new_password), client)


@router.post("/forgot", status_code=202, responses=responses(429))
async def forgot_password(body: ResetRequest, accounts: Accounts, client: CallingClient) -> dict[str, str]:
    """Send a mail with a link that sets a new password, valid for an hour and once.

    The answer, and how long it takes, are the same for addresses that have no account.
    """
    await accounts.ask_for_reset(body.email, client)
    return {"status": "sent if there is such an account"}


@router.post("/reset", status_code=204, responses=responses(401))
async def reset_password(body: PasswordReset, accounts: Accounts) -> None:
    """Set a new password; all sessions of the person end. 401 `reset_invalid`, 400 `weak_password`."""
    await accounts.reset(revealed(body.token), revealed(body.password))
