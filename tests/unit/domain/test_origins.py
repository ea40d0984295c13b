"""Which websites a widget answers to."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Forbidden, Invalid
from chatconnect.domain.origins import check_origin, checked_domain, is_website


@pytest.mark.parametrize(
    ("pattern", "stored"),
    [
        ("example.com", "example.com"),
        (" Example.COM ", "example.com"),
        ("example.com.", "example.com"),
        ("example.com:8443", "example.com:8443"),
        ("*.example.com", "*.example.com"),
        ("*.example.com:8443", "*.example.com:8443"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("my_shop.example.com", "my_shop.example.com"),
        ("192.168.1.20:3000", "192.168.1.20:3000"),
        ("localhost", "localhost"),
    ],
)
def test_a_domain_is_kept_in_the_form_it_is_compared_in(pattern: str, stored: str) -> None:
    assert checked_domain(pattern) == stored
    assert checked_domain(stored) == stored


@pytest.mark.parametrize(
    "pattern",
    [
        "", "*", "*.", "*.com", "a.*.com", "*.*.com", "https://example.com", "example.com/path", "example.com?q",
        "user@example.com", "@example.com", "exa mple.com", "example..com", ".example.com", "example.com:port",
        "example.com:99999", "example.com:0", "[::1]", "[::1]:80", "[", "straße.de", "a" * 64 + ".com", "<b>.com",
        "example.com\x00",
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_domain(pattern)

    assert refused.value.code == "invalid_domain"


@given(st.text(max_size=60))
def test_any_text_is_a_domain_or_is_refused_and_never_breaks_the_comparison(text: str) -> None:
    try:
        stored = checked_domain(text)
    except Invalid:
        return
    with pytest.raises(Forbidden):
        check_origin("https://some.other.website", [stored])


@pytest.mark.parametrize(
    ("origin", "pattern"),
    [
        ("https://example.com", "example.com"),
        ("https://EXAMPLE.com", "example.com"),
        ("http://example.com", "example.com"),
        ("https://example.com:443", "example.com"),
        ("https://example.com:8443", "example.com:8443"),
        ("https://shop.example.com", "*.example.com"),
        ("https://a.b.example.com", "*.example.com"),
        ("https://xn--mnchen-3ya.de", "münchen.de"),
        ("http://localhost:5173", "localhost"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("http://localhost:3000", "localhost:3000"),
    ],
)
def test_an_allowed_website_gets_in(origin: str, pattern: str) -> None:
    assert check_origin(origin, [checked_domain("other.org"), checked_domain(pattern)]) == origin


@pytest.mark.parametrize(
    ("origin", "pattern"),
    [
        ("https://evil-example.com", "example.com"),
        ("https://example.com.evil.org", "example.com"),
        ("https://www.example.com", "example.com"),
        ("https://example.com", "*.example.com"),
        ("https://evil-example.com", "*.example.com"),
        ("https://.example.com", "*.example.com"),
        ("https://shop.example.com.evil.org", "*.example.com"),
        ("https://example.com:8443", "example.com"),
        ("https://example.com", "example.com:8443"),
        ("http://example.com:443", "example.com"),
        ("https://example.com.", "example.com"),
        ("https://example.com@evil.org", "example.com"),
        ("https://user:word@example.com", "example.com"),
        ("https://@example.com", "example.com"),
        ("https://example.com/", "example.com"),
        ("https://example.com?", "example.org"),
        ("ftp://example.com", "example.com"),
        ("file://", "example.com"),
        ("example.com", "example.com"),
        ("https://[::1", "example.com"),
        ("https://example.com:port", "example.com"),
        ("http://localhost:3001", "localhost:3000"),
        ("http://localhost.evil.org", "localhost"),
        ("http://127.0.0.1.evil.org", "127.0.0.1"),
        ("https://exаmple.com", "example.com"),  # a Cyrillic letter
        ("https://münchen.de", "münchen.de"),  # browsers send it in ASCII
        ("https://MÜNCHEN.de", "münchen.de"),
        ("https://xn--mnchen-3ya.de.evil.org", "münchen.de"),
        ("http://[::1]:3000", "localhost"),
        ("http://[::1]", "127.0.0.1"),
        ("http://[::ffff:127.0.0.1]", "127.0.0.1"),
        ("http://127.1", "127.0.0.1"),
        ("http://0.0.0.0:3000", "localhost"),
        ("http://localhost.:3000", "localhost"),
        ("https://shop.example.com:8443", "*.example.com"),
        ("https://shop.example.com.", "*.example.com"),
        ("https://example.com:0", "example.com"),
        ("https://example.com:443:443", "example.com"),
        ("https://example.com\\.evil.org", "example.com"),
        ("https://evil.org#example.com", "example.com"),
        ("https://evil.org?.example.com", "*.example.com"),
        ("https://evil.org/.example.com", "*.example.com"),
        ("https://example.com%2eevil.org", "example.com"),
        ("https://example.com\t", "example.com"),
        ("//example.com", "example.com"),
        ("https:example.com", "example.com"),
        ("javascript://example.com", "example.com"),
        ("chrome-extension://example.com", "example.com"),
        ("https://example.com, https://evil.org", "example.com"),
        ("https://null", "example.com"),
    ],
)
def test_any_other_website_is_refused(origin: str, pattern: str) -> None:
    with pytest.raises(Forbidden) as refused:
        check_origin(origin, [checked_domain(pattern)])

    assert refused.value.code == "origin_not_allowed"


@pytest.mark.parametrize("origin", [None, "", "null"])
def test_no_website_or_one_that_hides_is_refused(origin: str | None) -> None:
    with pytest.raises(Forbidden) as refused:
        check_origin(origin, ["example.com"])

    assert refused.value.code == "origin_required"


@pytest.mark.parametrize("origin", ["https://example.com", "http://localhost:3000"])
def test_no_website_is_allowed_when_none_is_listed(origin: str) -> None:
    with pytest.raises(Forbidden) as refused:
        check_origin(origin, [])

    assert refused.value.code == "origin_not_allowed"


@given(st.text(max_size=60))
def test_any_text_is_a_website_or_none_and_what_is_one_has_a_host(text: str) -> None:
    for origin in (text, f"https://{text}"):
        if is_website(origin):
            assert urlsplit(origin).hostname
            assert origin.isascii()
