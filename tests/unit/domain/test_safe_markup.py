"""An answer's Markdown, made safe while it streams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconnect.domain.links import AllowedLinks
from chatconnect.domain.safe_markup import BREAK, LONGEST_HELD, SafeMarkup

LINKS = AllowedLinks(
    ("acme.example", "*.acme.example", "localhost"),
    lambda: ["Pay at https://bank.example/pay?to=acme&n=1. Write to help@acme.example."],
)


def streamed(text: str, size: int) -> str:
    markup = SafeMarkup(LINKS.allows)
    pieces = [markup.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + markup.end()


@pytest.mark.parametrize(
    "text",
    [
        "Hello! How are you? [1], [2]: fine (really).\n\n- a\n- **b** & 1 < 2",
        "[prices](https://acme.example/a/b-c_d.html#e) and https://www.acme.example/x, or http://localhost:3000/y",
        "https://bank.example/pay?to=acme&n=1.",
        "[mail](mailto:help@acme.example)",
        "Use `<b>` and `a[0]!`.",
        "```html\n<img src=https://evil.example/x?y>\n![x](https://evil.example)\n```\nDone.",
        "~5 minutes, ~~no~~; what, www, wow: 12:30",
        'A title: [a](https://acme.example/a "The page")',
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    expected = text.replace("[2]:", "[2] :")

    assert streamed(text, len(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![x](https://acme.example/p.png)", "[x](https://acme.example/p.png)"),
        ("a![x](https://acme.example/p.png)", "a! [x](https://acme.example/p.png)"),
        ("[x](https://evil.example/a)", f"[x] (https:/{BREAK}/evil.example/a)"),
        ("[x](https://acme.example/a?q=words)", f"[x] (https:/{BREAK}/acme.example/a?q=words)"),
        ("[x](https://bank.example/pay?to=evil)", f"[x] (https:/{BREAK}/bank.example/pay?to=evil)"),
        ("[x](https://acme.example:8443/a)", f"[x] (https:/{BREAK}/acme.example:8443/a)"),
        ("[x](/path)", "[x] (/path)"),
        ("[x](mailto:evil@evil.example)", "[x] (mailto:evil@evil.example)"),
        ("ftp://acme.example/x", f"ftp:/{BREAK}/acme.example/x"),
        ("[x]: https://evil.example", f"[x] : https:/{BREAK}/evil.example"),
        ("<a href=x>", f"<{BREAK}a href=x>"),
        ("`a\n![x](y)`", "`a\n[x] (y)`"),
        ("\\`b` ![x](u)`", "\\`b` [x] (u)`"),
        ("```\ncode\r```\r![x](y)\n```\n", "```\ncode\n```\n[x] (y)\n```\n"),
        ("```\ncode\n      ```\n```\n![x](y)\n```\n", "```\ncode\n      ```\n```\n[x] (y)\n```\n"),
        ("https://acme.example/a![x](https://acme.example/a)", "https://acme.example/a! [x](https://acme.example/a)"),
        ("www.acme.example/a![x]", "www.acme.example/a! [x]"),
        ("- ```\n  a\n```\n![x](y)\n```\n", "- ```\n  a\n```\n[x] (y)\n```\n"),
    ],
)
def test_what_could_become_a_link_an_image_or_a_tag_is_broken(text: str, expected: str) -> None:
    assert streamed(text, len(text)) == expected


PARTS = st.sampled_from(
    ["!", "[", "]", "(", ")", "<", ">", "`", "```", "~~~", "\n", "\n\n", "\\", ":", "://", "www.", "http", "a", " ",
     '"', "|", "https://evil.example/?q", "https://acme.example/a", "    ", "javascript:", "x.y"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=30).map("".join), st.integers(1, 9))
def test_how_a_text_is_cut_makes_no_difference_and_nothing_unsafe_is_left_of_it(text: str, size: int) -> None:
    whole = streamed(text, max(1, len(text)))

    assert streamed(text, size) == whole
    assert whole.replace(BREAK, "").replace(" ", "").replace("!", "") == text.replace(" ", "").replace("!", "")
    if "```" not in text and "~~~" not in text:
        assert "://evil" not in whole
        assert "![" not in whole.replace("`", "") or "`" in text


def test_little_is_held_back() -> None:
    markup, longest, shown = SafeMarkup(LINKS.allows), 0, 0
    for number, character in enumerate("[x](https://" + "a" * 10_000):
        shown += len(markup.feed(character))
        longest = max(longest, number - shown)

    assert longest <= LONGEST_HELD
