"""Signatures under receipts."""

from chatconnect.adapters.receipt_seal import HmacSeal
from chatconnect.domain.secret import Secret

RECEIPT = {"kind": "erase", "stores": {"postgres": {"found": 3, "erased": 3, "left": 0}}}


def a_seal(*keys: str) -> HmacSeal:
    async def load() -> list[Secret]:
        return [Secret(key) for key in keys]

    return HmacSeal(load)


async def test_a_receipt_is_good_in_whatever_order_its_fields_come() -> None:
    signature = await a_seal("key").sign(RECEIPT)

    assert await a_seal("key").is_good(dict(reversed(RECEIPT.items())), signature)


async def test_a_changed_receipt_or_another_key_is_not() -> None:
    signature = await a_seal("key").sign(RECEIPT)

    assert not await a_seal("key").is_good(RECEIPT | {"kind": "export"}, signature)
    assert not await a_seal("another").is_good(RECEIPT, signature)
    assert not await a_seal("key").is_good(RECEIPT, "")


async def test_a_receipt_outlives_an_exchange_of_keys() -> None:
    signature = await a_seal("old").sign(RECEIPT)

    assert await a_seal("new", "old").is_good(RECEIPT, signature)
    assert await a_seal("new", "old").sign(RECEIPT) != signature
