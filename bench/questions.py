"""A made-up company's documents in six languages and formats, and questions of which the answers are known."""

import csv
import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatconnect.domain.chunking import ParsedDocument
from tests.files import make_docx, make_pdf

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja")
_DATA = Path(__file__).parent / "data"
_PRODUCTS = 84
_PER_FILE = _PRODUCTS // 6
_ASKED = 12  # of a language's products, by each kind of exact question
_ABSENT = 4  # of a language's products, by each question on what no document says
_KINDS = ("error number", "product code", "name")
NEAR, OFF = "near topic", "off topic"
_SYLLABLES = ("ve", "lo", "ra", "mi", "ta", "no", "ka", "du", "zen", "pri", "sol", "bex")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question; `answer` is a span of one document's text, None when there is no answer anywhere.

    Of those without an answer, "off topic" ones ask for something else altogether, and "near topic" ones for what
    documents on this very subject could say, but do not.
    """

    text: str
    language: str
    kind: str
    answer: str | None
    held_out: bool


@dataclass(frozen=True, slots=True)
class File:
    """A document as somebody would upload it."""

    name: str
    content: bytes


def quality_set(seed: int = 11) -> tuple[list[File], list[AskedQuestion]]:
    """Return the documents and the questions; those on every other document are held out from choosing settings."""
    files: list[File] = []
    questions: list[AskedQuestion] = []
    for language in LANGUAGES:
        material = json.loads((_DATA / f"retrieval_{language}.json").read_text())
        chance = random.Random(f"{seed} {language}")
        products = [_product(material, chance) for _ in range(_PRODUCTS)]
        texts = [[template.format(**product) for template in material["product"]] for product in products]
        files += _files(language, texts, [answer for answer, _ in material["topics"]])
        asked: list[tuple[str, str, str | None, int]] = [
            (template.format(**product), kind, _span(texts[number], product, kind), number // _PER_FILE)
            for template, kind in zip(material["ask"], _KINDS, strict=True)
            for number, product in chance.sample(list(enumerate(products)), _ASKED)
        ]
        asked += [(text, "paraphrase", answer, at) for at, (answer, text) in enumerate(material["topics"])]
        asked += _unanswerable(material, products, chance)
        questions += [AskedQuestion(text, language, kind, span, at % 2 == 1) for text, kind, span, at in asked]
    return files, questions


def handbooks(name: str, *, held_out: bool) -> tuple[list[File], list[AskedQuestion]]:
    """Return documents in ordinary prose, and questions of many styles on them: bench/data/`name`.json."""
    material = json.loads((_DATA / f"{name}.json").read_text())
    files = [
        File(each["name"], "\n\n".join(f"# {heading}\n\n{text}" for heading, text in each["sections"]).encode())
        for each in material["documents"]
    ]
    return files, [AskedQuestion(**question, held_out=held_out) for question in material["questions"]]


def parsed(file: File) -> ParsedDocument:
    """Return the file's text, read by the product's own parser."""
    from chatconnect.adapters.parsers import csv as csv_parser
    from chatconnect.adapters.parsers import docx, html, markdown, pdf, text

    parse = {
        "txt": text.parse_text,
        "md": markdown.parse_markdown,
        "html": html.parse_html,
        "csv": csv_parser.parse_csv,
        "docx": docx.parse_docx,
        "pdf": pdf.parse_pdf,
    }
    return parse[file.name.rpartition(".")[2]](file.content)


def _product(material: dict[str, Any], chance: random.Random) -> dict[str, str]:
    return {
        "name": "".join(chance.choices(_SYLLABLES, k=3)).capitalize() + f" {chance.randint(10, 99)}0",
        "code": f"{chance.choice('KLMNP')}{chance.choice('XYZ')}-{chance.randint(1000, 9999)}",
        "error": f"{chance.choice('EFH')}-{chance.randint(100, 989)}",
        "part": f"F{chance.randint(10000, 99999)}",
        "kg": f"{chance.randint(1, 40)}.{chance.randint(1, 9)}",
        "h": str(chance.randint(2, 48)),
        "kind": chance.choice(material["kinds"]),
        "place": chance.choice(material["places"]),
        "fix": chance.choice(material["fixes"]),
    }


def _unanswerable(
    material: dict[str, Any], products: list[dict[str, str]], chance: random.Random
) -> list[tuple[str, str, None, int]]:
    """Return questions on other subjects, on products that are not there, and on what is not said of those that are."""
    unknown = [_product(material, chance) for _ in material["ask"]]
    near = [template.format(**product) for template, product in zip(material["ask"], unknown, strict=True)]
    near += [
        template.format(**product) for template in material["absent"] for product in chance.sample(products, _ABSENT)
    ]
    asked = [(NEAR, text) for text in near + material["near"]]
    asked += [(OFF, text) for text in material["none"]]
    return [(text, kind, None, at) for at, (kind, text) in enumerate(asked)]


def _span(sentences: list[str], product: dict[str, str], kind: str) -> str:
    wanted = {"error number": "error", "product code": "part", "name": "kg"}[kind]
    return next(sentence for sentence in sentences if product[wanted] in sentence)


def _files(language: str, products: list[list[str]], topics: list[str]) -> list[File]:
    latin = language not in ("zh", "ja")  # the PDFs made here hold Latin letters alone
    txt, md, html, table, docx, pdf = (products[at * _PER_FILE : (at + 1) * _PER_FILE] for at in range(6))
    pages = [[" ".join(each[:2]), " ".join(each[2:])] for each in pdf]
    rows = io.StringIO()
    csv.writer(rows).writerows([["a", "b", "c", "d"], *table])
    files = [
        File("guide.txt", "\n\n".join(map(" ".join, txt)).encode()),
        File("guide.md", "\n\n".join(f"# {at}\n\n{' '.join(each)}" for at, each in enumerate(md, 1)).encode()),
        File("guide.html", "".join(f"<h2>{n}</h2><p>{' '.join(each)}</p>" for n, each in enumerate(html, 1)).encode()),
        File("guide.csv", rows.getvalue().encode()),
        File("guide.docx", make_docx([" ".join(each) for each in docx])),
        File("guide.pdf", make_pdf(["\n".join(page) for page in pages]))
        if latin
        else File("more.docx", make_docx([" ".join(each) for each in pdf])),
        *(File(f"service-{at}.txt", topic.encode()) for at, topic in enumerate(topics, 1)),
    ]
    return [File(f"{language}-{file.name}", file.content) for file in files]
