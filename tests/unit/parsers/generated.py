"""Documents made up by Hypothesis, written in every format that can be uploaded."""

import csv
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from chatconnect.adapters.parsers.csv import parse_csv
from chatconnect.adapters.parsers.docx import parse_docx
from chatconnect.adapters.parsers.html import parse_html
from chatconnect.adapters.parsers.markdown import parse_markdown
from chatconnect.adapters.parsers.pdf import parse_pdf
from chatconnect.adapters.parsers.text import parse_text
from chatconnect.domain.chunking import ParsedDocument
from tests import files

WORDS = ["Rad", "frame", "größe", "batterie", "delivery", "9.90", "X-12/b", "naïve", "Straße", "the", "of", "e.g."]
OTHER_WORDS = ["汉字没有空格", "こんにちは。", "ภาษาไทย", "हिन्दी।", "مرحبا؟", "Привет", "😀", "한국어"]


@dataclass(frozen=True)
class Table:
    """Column names that no other table has, and rows of cells."""

    names: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Part:
    """What stands under one heading."""

    level: int
    title: str
    paragraphs: list[str]
    items: list[str] = field(default_factory=list)
    table: Table | None = None


def sentences(words: Sequence[str]) -> st.SearchStrategy[str]:
    sentence = st.lists(st.sampled_from(words), min_size=1, max_size=12).map(lambda chosen: " ".join(chosen) + ".")
    return st.lists(sentence, min_size=1, max_size=12).map(" ".join)


def _table(words: Sequence[str]) -> st.SearchStrategy[Table]:
    cell = st.lists(st.sampled_from(words), min_size=1, max_size=6).map(" ".join)
    row = st.tuples(cell, cell, cell).map(list)
    return st.builds(Table, st.just(["Name A", "Name B", "Name C"]), st.lists(row, min_size=1, max_size=25))


def parts(words: Sequence[str] = (*WORDS, *OTHER_WORDS)) -> st.SearchStrategy[list[Part]]:
    text = st.lists(sentences(words), min_size=1, max_size=3)
    items = st.lists(st.sampled_from(words), max_size=4)
    title = st.integers(1, 999).map(lambda number: f"Title {number}")
    part = st.builds(Part, st.integers(1, 3), title, text, items, st.none() | _table(words))
    return st.lists(part, min_size=1, max_size=4)


def as_text(written: list[Part]) -> ParsedDocument:
    blocks = [block for part in written for block in (part.title, *part.paragraphs, *part.items)]
    return parse_text("\n\n".join(blocks).encode())


def as_markdown(written: list[Part]) -> ParsedDocument:
    blocks: list[str] = []
    for part in written:
        blocks += [f"{'#' * part.level} {part.title}", *part.paragraphs, "\n".join(f"- {item}" for item in part.items)]
        if part.table:
            rows = [part.table.names, ["---"] * len(part.table.names), *part.table.rows]
            blocks.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return parse_markdown("\n\n".join(blocks).encode())


def as_html(written: list[Part]) -> ParsedDocument:
    page = "<!doctype html><body><nav>Home</nav>"
    for part in written:
        page += f"<h{part.level}>{html.escape(part.title)}</h{part.level}>"
        page += "".join(f"<p>{html.escape(text)}</p>" for text in part.paragraphs)
        page += f"<ul>{''.join(f'<li>{html.escape(item)}' for item in part.items)}</ul>"
        if part.table:
            head = "".join(f"<th>{name}" for name in part.table.names)
            rows = ("".join(f"<td>{html.escape(cell)}" for cell in row) for row in part.table.rows)
            page += f"<table><tr>{head}{''.join(f'<tr>{row}' for row in rows)}</table>"
    return parse_html(page.encode())


def as_docx(written: list[Part]) -> ParsedDocument:
    body = ""
    for part in written:
        body += files.paragraph(part.title, style=f"H{part.level}")
        body += "".join(map(files.paragraph, part.paragraphs))
        body += "".join(files.paragraph(item, in_list=True) for item in part.items)
        if part.table:
            body += files.table([part.table.names, *part.table.rows])
    styles = "".join(files.heading_style(f"H{level}", f"heading {level}") for level in (1, 2, 3))
    return parse_docx(files.make_docx(body, styles=styles))


def as_csv(written: list[Part]) -> ParsedDocument:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["Name A", "Name B", "Name C"])
    for part in written:
        table.writerows(part.table.rows if part.table else [[part.title, *part.paragraphs[:2]]])
    return parse_csv(out.getvalue().encode())


def as_pdf(written: list[Part]) -> ParsedDocument:
    """A page per part; Latin letters only."""
    pages = []
    for part in written:
        lines = [line for text in part.paragraphs for line in _wrapped(text)]
        pages.append([files.Placed(part.title, y=740, size=16), *files.lines_down(lines, y=710)])
    return parse_pdf(files.make_placed_pdf(pages))


def _wrapped(text: str, width: int = 70) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


FORMATS: dict[str, Callable[[list[Part]], ParsedDocument]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "docx": as_docx,
    "csv": as_csv,
    "pdf": as_pdf,
}


def words_for(format_: str) -> list[str]:
    return WORDS if format_ == "pdf" else [*WORDS, *OTHER_WORDS]
