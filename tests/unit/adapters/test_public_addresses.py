"""Which addresses a tenant's tool may reach."""

import socket
from typing import Any

import pytest

from chatconnect.adapters.public_addresses import ResolvedAddresses, is_public, public_address
from chatconnect.domain.errors import Invalid
from chatconnect.ports.tools import ToolFailed

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1",
    "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "fe80::1%eth0", "fec0::1", "localhost", "",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_only_loopback_is_let_in_on_one_machine() -> None:
    assert is_public("127.0.0.1", allow_loopback=True)
    assert is_public("::1", allow_loopback=True)
    assert not any(is_public(address, allow_loopback=True) for address in ("10.0.0.1", "169.254.169.254", "::"))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "017700000001", "::1", "0"])
async def test_a_disguised_loopback_is_seen_through(host: str) -> None:
    with pytest.raises(ToolFailed):
        await public_address(host, 443)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["8.8.8.8", "1.1.1.1"], "8.8.8.8"),
        (["8.8.8.8", "127.0.0.1"], None),
        (["10.0.0.7"], None),
        ([], None),
    ],
)
async def test_a_host_is_reached_only_when_all_its_addresses_are_public(
    answers: list[str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, 443)) for answer in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)

    if expected is not None:
        assert await public_address("shop.example.com", 443) == expected
    else:
        with pytest.raises(ToolFailed):
            await public_address("shop.example.com", 443)


async def test_an_unknown_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(ToolFailed, match="not known"):
        await public_address("nowhere.example.com", 443)


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/v1", "https://10.1.2.3", "https://[::1]/v1", "https://[::ffff:127.0.0.1]:8443",
        "http://0x7f.1/v1", "https://localhost", "https://no-such-host.invalid",
    ],
)  # fmt: skip
async def test_a_url_whose_host_is_inside_or_unknown_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        await ResolvedAddresses().check(url)

    assert (refused.value.code, refused.value.details) == ("address_not_public", {"field": "base_url"})


async def test_a_public_url_is_taken_and_on_one_machine_its_own_too() -> None:
    await ResolvedAddresses().check("https://93.184.215.14/v1")
    await ResolvedAddresses(allow_loopback=True).check("http://127.0.0.1:8080/v1")
