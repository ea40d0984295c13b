"""Passwords: what is accepted as one, and the one form in which it is compared.

Long rather than complicated, as NIST SP 800-63B has it: ten characters at least, no rules about their kinds, and none
of those that everybody tries first.
"""

import unicodedata
from functools import cache
from importlib.resources import files

from chatconnect.domain.errors import Invalid
from chatconnect.domain.secret import Secret

PASSWORD_LENGTH = (10, 128)
_FEWEST_DIFFERENT = 4  # characters


def checked_password(secret: Secret, *, field: str = "password") -> Secret:
    """Return the password in the form that is compared. Raises Invalid with code "weak_password", naming the field."""
    password = comparable(secret)
    text, (shortest, longest) = password.reveal(), PASSWORD_LENGTH
    if not shortest <= len(text) <= longest:
        raise _weak(f"a password has {shortest} to {longest} characters", field)
    if len(set(text)) < _FEWEST_DIFFERENT or text.lower() in _common():
        raise _weak("this password is among those that are tried first; please choose another", field)
    return password


def comparable(secret: Secret) -> Secret:
    """Return the password as every keyboard would have written it: accents may come as characters of their own."""
    return Secret(unicodedata.normalize("NFKC", secret.reveal()))


def _weak(message: str, field: str) -> Invalid:
    return Invalid(message, code="weak_password", details={"field": field})


@cache
def _common() -> frozenset[str]:
    text = files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())
