"""What Markdown files become."""

import pytest

from chatconnect.adapters.parsers.markdown import parse_markdown
from tests.unit.parsers.conftest import Read, outline


async def test_markdown_has_a_section_per_heading(read: Read) -> None:
    data = b"# Guide\n\n## Install ##\nRun it:\n\n```\n# not a heading\n```\n\nUse\n---\nClick.\n\n# End\nBye\n"

    document = await read(data, "guide.md")

    assert outline(document) == [
        (("Guide", "Install"), "# Guide\n\n## Install ##\n\nRun it:\n\n```\n# not a heading\n```"),
        (("Guide", "Use"), "Use\n\nClick."),
        (("End",), "# End\n\nBye"),
    ]


def test_the_rows_of_a_table_get_the_names_of_their_columns() -> None:
    data = b"# Prices\n\n| Plan | Price \\| month |\n|:-----|------:|\n| Basic | 10 |\n| *Pro* | 20 |\n\nBye\n"

    document = parse_markdown(data)

    assert outline(document) == [
        (("Prices",), "# Prices\n\nPlan: Basic; Price | month: 10\nPlan: *Pro*; Price | month: 20"),
        (("Prices",), "Bye"),
    ]
    assert [section.rows for section in document.sections] == [True, False]


@pytest.mark.parametrize("front", ["---\ntitle: 'The guide'\ntags: [a, b]\n---\n", '+++\ntitle = "The guide"\n+++\n'])
def test_of_the_front_matter_the_title_is_kept(front: str) -> None:
    document = parse_markdown(f"{front}\n## Start\nHere.".encode())

    assert outline(document) == [(("The guide", "Start"), "The guide\n\n## Start\n\nHere.")]


def test_a_line_at_the_top_is_no_front_matter() -> None:
    assert parse_markdown(b"---\nJust text.\n").text == "---\nJust text."


@pytest.mark.parametrize(
    "code",
    [
        "```python\n# no heading\n```",
        "~~~\n# no heading\n```\n# none either\n~~~",
        "````\n```\n# no heading\n```\n````",
        "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```",
        "    # indented code",
    ],
)
def test_what_stands_in_code_is_left_as_it_is(code: str) -> None:
    assert outline(parse_markdown(f"# A\n\nText:\n{code}\n\n# B\nc".encode())) == [
        (("A",), f"# A\n\nText:\n{code}"),
        (("B",), "# B\n\nc"),
    ]


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("## The **team** plan", "The team plan"),
        ("## [Prices](https://a.example/b) in *euros* {#prices}", "Prices in euros"),
        ("## `snake_case_name` and ***all***", "snake_case_name and all"),
        ("Prices of ~~2025~~ __2026__\n---", "Prices of 2025 2026"),
        ("## 5 * 3 and snake_case_name", "5 * 3 and snake_case_name"),
    ],
)
def test_a_headings_title_has_no_marks(heading: str, title: str) -> None:
    assert parse_markdown(f"{heading}\n\ntext".encode()).sections[0].headings == (title,)


def test_a_heading_with_a_megabyte_of_blanks_in_it_takes_linear_time() -> None:
    blanks = " " * 1_000_000

    assert parse_markdown(f"# a{blanks}b ##\n\ntext".encode()).sections[0].headings == ("a b",)


def test_what_stands_in_comments_is_not_read() -> None:
    page = "Seen.\n\n<!-- hidden\n# hidden -->\n\n```\n<!-- code -->\n```\n\n<!-- never closed"

    assert parse_markdown(page.encode()).text == "Seen.\n\n```\n<!-- code -->\n```\n\n<!-- never closed"


def test_a_heading_may_be_underlined() -> None:
    assert outline(parse_markdown(b"Guide\n=====\n\nUse\n---\nClick.")) == [
        (("Guide", "Use"), "Guide\n\nUse\n\nClick.")
    ]


def test_a_list_and_a_rule_are_no_headings() -> None:
    assert outline(parse_markdown(b"- a\n- b\n\n---\n\n#hashtag")) == [((), "- a\n- b\n\n---\n\n#hashtag")]
