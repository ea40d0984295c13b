"""Signed tokens: whose they are, how long they hold, and how keys are exchanged while tokens are out."""

import time
from collections.abc import Sequence

import jwt
import pytest

from chatconnect.adapters.jwt import JwtSigner
from chatconnect.adapters.signing_keys import several
from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.secret import Secret

OLD, NEW, FOREIGN = (Secret(name * 8) for name in ("old-key-", "new-key-", "foreign-"))


class Keys:
    """The keys as a process remembers them, and as they are by now."""

    def __init__(self, *remembered: Secret) -> None:
        self.remembered: Sequence[Secret] = remembered
        self.present: Sequence[Secret] = remembered
        self.reloads = 0

    async def load(self) -> Sequence[Secret]:
        return self.remembered

    async def reload(self) -> Sequence[Secret]:
        self.reloads += 1
        self.remembered = self.present
        return self.present

    def signer(self) -> JwtSigner:
        return JwtSigner(self.load, reload_keys=self.reload)


async def signed(*keys: Secret, seconds: int = 900) -> str:
    return await Keys(*keys).signer().sign("staff", {"session": "1"}, lifetime_seconds=seconds)


async def refusal(signer: JwtSigner, token: str, audience: str = "staff") -> str:
    with pytest.raises(Unauthenticated) as refused:
        await signer.verify(audience, token)
    return refused.value.code


async def test_a_key_is_exchanged_while_sessions_live_on() -> None:
    begun = Keys(OLD).signer()
    before = await begun.sign("staff", {"session": "1"}, lifetime_seconds=900)

    overlap = Keys(NEW, OLD).signer()
    after = await overlap.sign("staff", {"session": "2"}, lifetime_seconds=900)
    assert [(await overlap.verify("staff", token))["session"] for token in (before, after)] == ["1", "2"]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]

    over = Keys(NEW).signer()
    assert (await over.verify("staff", after))["session"] == "2"
    assert await refusal(over, before) == "token_invalid"


async def test_a_process_that_does_not_know_the_new_key_yet_looks_again() -> None:
    keys = Keys(OLD)
    signer = keys.signer()
    keys.present = (NEW, OLD)

    assert (await signer.verify("staff", await signed(NEW, OLD)))["session"] == "1"

    assert keys.reloads == 1


async def test_tokens_of_nobodys_key_do_not_make_it_look_again_and_again() -> None:
    keys = Keys(OLD)
    signer, token = keys.signer(), await signed(FOREIGN)

    for _ in range(5):
        assert await refusal(signer, token) == "token_invalid"

    assert keys.reloads == 1


async def test_a_token_for_somebody_else_does_not_make_it_look_again() -> None:
    keys = Keys(OLD)
    signer = keys.signer()

    assert await refusal(signer, await signed(NEW), "chat") == "token_invalid"

    assert keys.reloads == 0


async def test_a_key_that_is_taken_away_takes_its_tokens_along_at_once() -> None:
    keys = Keys(OLD)
    signer, token = keys.signer(), await signed(OLD)
    await signer.verify("staff", token)

    keys.remembered = keys.present = (NEW,)

    assert await refusal(signer, token) == "token_invalid"


async def test_a_token_runs_out_and_is_for_one_audience_and_unsigned_is_none() -> None:
    signer = Keys(OLD).signer()
    now = int(time.time())
    unsigned = jwt.encode({"aud": "staff", "iat": now, "exp": now + 900}, "", algorithm="none")

    assert await refusal(signer, await signed(OLD, seconds=-60)) == "token_expired"
    assert await refusal(signer, await signed(OLD), "chat") == "token_invalid"
    assert await refusal(signer, unsigned) == "token_invalid"
    assert await refusal(signer, "no token") == "token_invalid"


def test_a_secret_holds_one_key_or_several_newest_first() -> None:
    assert several(Secret("a key")) == [Secret("a key")]
    assert several(Secret('{"2026-11": "b", "2026-10": "a"}')) == [Secret("b"), Secret("a")]
    assert several(Secret("{}")) == [Secret("{}")]
    assert several(Secret("12345")) == [Secret("12345")]
