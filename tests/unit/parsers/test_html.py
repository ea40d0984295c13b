"""What web pages become."""

import time

import pytest

from chatconnect.adapters.parsers.html import parse_html
from tests.unit.parsers.conftest import Read, outline


async def test_html_gives_what_a_reader_sees(read: Read) -> None:
    data = b"""<!DOCTYPE html><html><head><title>t</title><style>p {}</style></head><body><script>alert(1)</script>
      <h1>Our  shop</h1><p>Open &amp; <b>friend</b>ly<br>always<p hidden>secret<p>Come in
      <ul><li>tea<li>coffee</ul><div style="display: none">gone <i>too</i></div><span aria-hidden="true">x</span>
      <table><tr><th>Day<th>Hours<tr><td><p>Mon</p></td><td>9-5</table>
      <h2>Way</h2><pre>a  b\n  c</pre><template>no</template></body></html>"""

    document = await read(data, "shop.html")

    assert outline(document) == [
        (("Our shop",), "Our shop\n\nOpen & friendly\nalways\n\nCome in\n- tea\n- coffee"),
        (("Our shop",), "Day: Mon; Hours: 9-5"),
        (("Our shop", "Way"), "Way\n\na  b\n  c"),
    ]


def text(page: str) -> str:
    return parse_html(f"<!doctype html><body>{page}".encode()).text


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<nav><a>Home</a></nav><p>Text<nav>x", "Text"),
        ("<div role=navigation>Home</div><p>Text", "Text"),
        ("a&nbsp;&euro;&#8364;&#x20AC;&amp;lt;", "a €€€&lt;"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ol><li>a<li>b</ol><ol start=7><li>c</ol>", "1. a\n2. b\n7. c"),
        ("<ol><li>a<ul><li>x</ul><li>b</ol>", "1. a\n  - x\n2. b"),
        ("<ul><li></ul><p>Text", "Text"),
        ("<table><tr><td><ul><li>a</ul><td>b</table><p>Text", "a | b\n\nText"),
        ("<dl><dt>Plan<dd>Basic</dl>", "Plan\n\nBasic"),
        ("<p>Größe 汉字 مرحبا", "Größe 汉字 مرحبا"),
        ("<ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</ruby>の店<p>Text", "東京の店\n\nText"),
        ("Ge&shy;schwin&shy;dig&shy;keit, micro&#8203;service, ខ&#8203;ម", "Geschwindigkeit, microservice, ខ​ម"),
    ],
)
def test_the_text_is_what_a_reader_sees(page: str, expected: str) -> None:
    assert text(page) == expected


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<h2><div>Prices</div></h2><p>49 euros", "Prices"),
        ("<h2><a href=x><p>Prices</p></a></h2><p>49 euros", "Prices"),
        ("<h2>Prices<p>49 euros", "Prices"),
        ("<h2><div>Prices</div>49 euros</h2>", "Prices"),
    ],
)
def test_a_block_in_a_heading_is_the_heading(page: str, title: str) -> None:
    sections = parse_html(f"<!doctype html><body>{page}".encode()).sections

    assert [(section.headings, section.text) for section in sections] == [((title,), f"{title}\n\n49 euros")]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("<tr><th>a<th>b<tr><td>1<td>2", "a: 1; b: 2"),
        ("<thead><tr><td>a<td>b</thead><tr><td>x<td>y", "a: x; b: y"),
        ("<tr><td>Plan<td>Price<td>Term<tr><td>Basic<td>10<td>month", "Plan: Basic; Price: 10; Term: month"),
        ("<tr><td>Phone<td>see below<tr><td>Mail<td>write", "Phone | see below\nMail | write"),
        ("<tr><th>Phone<td>12345<tr><th>Mail<td>write", "Phone | 12345\nMail | write"),
        ("<tr><th>a<th>b<th>c<tr><td colspan=2>1<td>3", "a: 1; c: 3"),
        ("<tr><th colspan=2>Price<th>Stock<tr><td>10<td>12<td>5", "Price: 10; Price: 12; Stock: 5"),
        (
            "<thead><tr><th rowspan=2>Plan<th colspan=2>Price<tr><th>net<th>gross</thead><tr><th>A<td>10<td>12",
            "Plan: A; Price net: 10; Price gross: 12",
        ),
        ("<tr><th>a<th>b<th>c<tr><td>1<td>2<td>3<tr><th colspan=2>Sum<td>6", "a: 1; b: 2; c: 3\na: Sum; c: 6"),
        ("<tr><th colspan=2>Prices<tr><th>Plan<th>Euro<tr><td>A<td>10", "Prices\n\nPlan: A; Euro: 10"),
        ("<tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3", "a: 1; b: 2\na: 1; b: 3"),
        ("<caption>Plans</caption><tr><th>a<th>b<tr><td><ul><li>x<li>y</ul><td>z", "Plans\n\na: x y; b: z"),
        ("<tr><td><h2>Left</h2>one<td>two", "Left\n\none\n\ntwo"),
        ("<tr><td>x<td><table><tr><th>a<th>b<tr><td>1<td>2</table>", "x\n\na: 1; b: 2"),
        ("<tr><td>only<tr><td>one", "only\n\none"),
    ],
)
def test_tables_become_rows_with_names_where_they_have_them(table: str, expected: str) -> None:
    assert text(f"<table>{table}</table>") == expected


@pytest.mark.parametrize("opened", ["<!--", "<?", "<![CDATA[", "<!", "<a ", "<!doctype ["])
def test_what_is_opened_again_and_again_and_never_closed_takes_linear_time(opened: str) -> None:
    before = time.process_time()

    document = parse_html(b"<p>Seen</p>" + opened.encode() * (300_000 // len(opened)))

    assert document.text == "Seen"
    assert time.process_time() - before < 5  # a quadratic step takes much longer


def test_what_follows_a_comment_in_a_script_is_seen() -> None:
    document = parse_html(b"<script>if (a <!--b) c()</script><p>Seen</p>")

    assert document.text == "Seen"
