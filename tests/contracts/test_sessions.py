"""What every store of sessions and passwords does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from secrets import token_bytes

import pytest

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AccountId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from tests.contracts.people import HOUR, Stores, now, stores
from tests.fakes.tenants import MemoryAccounts

__all__ = ["stores"]


async def test_a_refresh_token_is_found_with_its_session(stores: Stores) -> None:
    new = await stores.opened()

    session, token_hash = await stores.logged_in(new.account.id, new.tenant.id)

    found = await stores.sessions.find_token(token_hash)
    assert found is not None
    assert (found.session, found.used_at, found.salt) == (session, None, None)
    assert await stores.sessions.find_token(token_bytes(32)) is None


async def test_of_many_who_exchange_a_token_at_once_one_does(stores: Stores) -> None:
    new = await stores.opened()
    session, token_hash = await stores.logged_in(new.account.id, new.tenant.id)
    later = replace(session, last_used_at=now(), device="another browser")

    async def exchange() -> bool:
        return await stores.sessions.exchange(token_hash, token_bytes(32), token_bytes(32), now() + HOUR, later)

    outcomes = await asyncio.gather(*(exchange() for _ in range(8)))

    assert sorted(outcomes) == [False] * 7 + [True]
    used = await stores.sessions.find_token(token_hash)
    assert used is not None
    assert (used.session.device, used.used_at, used.salt is None) == ("another browser", later.last_used_at, False)


async def test_an_ended_session_exchanges_nothing(stores: Stores) -> None:
    new = await stores.opened()
    session, token_hash = await stores.logged_in(new.account.id, new.tenant.id)

    assert await stores.sessions.end(new.account.id, session.id)
    assert not await stores.sessions.end(new.account.id, session.id)

    used = await stores.sessions.exchange(token_hash, token_bytes(32), token_bytes(32), now() + HOUR, session)
    assert not used
    assert await stores.sessions.of_account(new.account.id) == []


async def test_nobody_ends_anothers_session(stores: Stores) -> None:
    ada, gil = await stores.opened(), await stores.opened()
    session, _ = await stores.logged_in(ada.account.id, ada.tenant.id)

    assert not await stores.sessions.end(gil.account.id, session.id)

    assert await stores.sessions.of_account(ada.account.id) == [session]
    assert await stores.sessions.of_account(gil.account.id) == []


async def test_all_sessions_but_one_end_together(stores: Stores) -> None:
    new = await stores.opened()
    sessions = [(await stores.logged_in(new.account.id, new.tenant.id))[0] for _ in range(3)]

    await stores.sessions.end_all(new.account.id, but=sessions[1].id)

    assert await stores.sessions.of_account(new.account.id) == [sessions[1]]


async def test_somebody_stands_where_they_are_a_member_in_an_open_session(stores: Stores) -> None:
    new, other = await stores.opened(), await stores.opened()
    session, _ = await stores.logged_in(new.account.id, new.tenant.id)

    standing = await stores.sessions.standing(new.tenant.id, new.account.id, session.id)

    assert standing is not None
    assert standing.signed_in.staff.member_id == new.owner.id
    assert (standing.signed_in.staff.role, standing.suspended) == (StaffRole.OWNER, False)
    assert standing.signed_in.email == new.account.email
    assert await stores.sessions.standing(other.tenant.id, new.account.id, session.id) is None
    assert await stores.sessions.standing(other.tenant.id, other.account.id, session.id) is None


async def test_who_is_removed_demoted_logged_out_or_disabled_stands_so_at_once(stores: Stores) -> None:
    new = await stores.opened()
    member = await stores.joined(new, StaffRole.ADMIN)
    session, _ = await stores.logged_in(member.account_id, new.tenant.id)
    members = stores.members_of(new.tenant.id)

    async def role() -> StaffRole | None:
        standing = await stores.sessions.standing(new.tenant.id, member.account_id, session.id)
        return standing.signed_in.staff.role if standing else None

    assert await role() is StaffRole.ADMIN
    await members.change_role(member, StaffRole.VIEWER)
    assert await role() is StaffRole.VIEWER
    await stores.sessions.end_all(member.account_id)
    assert await role() is None
    session, _ = await stores.logged_in(member.account_id, new.tenant.id)
    assert await role() is StaffRole.VIEWER
    await stores.accounts.set_disabled(member.account_id, disabled=True)
    assert await role() is None
    await stores.accounts.set_disabled(member.account_id, disabled=False)
    assert await role() is None
    session, _ = await stores.logged_in(member.account_id, new.tenant.id)
    await members.remove(replace(member, role=StaffRole.VIEWER))
    assert await role() is None


async def test_a_disabled_persons_refresh_token_is_none(stores: Stores) -> None:
    new = await stores.opened()
    _, token_hash = await stores.logged_in(new.account.id, new.tenant.id)

    await stores.accounts.set_disabled(new.account.id, disabled=True)

    assert await stores.sessions.find_token(token_hash) is None
    assert (await stores.accounts.get(new.account.id)).disabled_at is not None


# Passwords


async def test_a_new_password_ends_all_sessions_but_one_and_every_reset(stores: Stores) -> None:
    new = await stores.opened()
    kept, _ = await stores.logged_in(new.account.id, new.tenant.id)
    await stores.logged_in(new.account.id, new.tenant.id)
    await stores.accounts.allow_reset(new.account.id, reset := token_bytes(32), now() + HOUR)

    await stores.accounts.set_password(new.account.id, Secret("another hash"), keep=kept.id)

    assert (await stores.accounts.get(new.account.id)).password_hash == Secret("another hash")
    assert await stores.sessions.of_account(new.account.id) == [kept]
    assert await stores.accounts.use_reset(reset) is None


async def test_a_reset_is_used_once_however_many_come_at_once(stores: Stores) -> None:
    new = await stores.opened()
    await stores.accounts.allow_reset(new.account.id, token := token_bytes(32), now() + HOUR)

    used = await asyncio.gather(*(stores.accounts.use_reset(token) for _ in range(5)))

    assert [each for each in used if each is not None] == [new.account.id]


async def test_a_reset_ends_with_its_time_and_with_the_next_one(stores: Stores) -> None:
    new = await stores.opened()
    late, earlier, newest = token_bytes(32), token_bytes(32), token_bytes(32)

    if isinstance(stores.accounts, MemoryAccounts):
        await stores.accounts.allow_reset(new.account.id, late, now())
    else:
        await stores.accounts.allow_reset(new.account.id, late, now() + timedelta(seconds=1))
        await asyncio.sleep(1.1)

    assert await stores.accounts.use_reset(late) is None
    await stores.accounts.allow_reset(new.account.id, earlier, now() + HOUR)
    await stores.accounts.allow_reset(new.account.id, newest, now() + HOUR)
    assert await stores.accounts.use_reset(earlier) is None
    assert await stores.accounts.use_reset(newest) == new.account.id


async def test_an_account_that_is_none_cannot_be_disabled(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.accounts.set_disabled(AccountId(new_id()), disabled=True)
