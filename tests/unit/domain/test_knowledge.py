"""Documents, upload keys, file names, and passages that belong together."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import (
    MAX_FILENAME,
    Chunk,
    Failure,
    ObjectKey,
    Passage,
    Status,
    media_type_of,
    merge_adjacent,
    safe_filename,
)
from tests.factories import a_version

TENANT, DOCUMENT = TenantId(new_id()), DocumentId(new_id())
VERSION = a_version(TENANT, DOCUMENT)

ALLOWED = {
    (Status.UPLOADED, Status.PROCESSING),
    (Status.UPLOADED, Status.FAILED),
    (Status.PROCESSING, Status.PROCESSING),
    (Status.PROCESSING, Status.READY),
    (Status.PROCESSING, Status.FAILED),
    (Status.FAILED, Status.PROCESSING),
}


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_a_version_moves_as_the_table_says_and_no_other_way(before: Status, after: Status) -> None:
    version = replace(VERSION, status=before)

    if (before, after) in ALLOWED:
        assert version.moved_to(after).status is after
    else:
        with pytest.raises(Conflict):
            version.moved_to(after)


def test_a_failure_is_kept_until_the_version_moves_on() -> None:
    failed = VERSION.moved_to(Status.FAILED, failure=Failure("damaged", "It is damaged."))

    assert failed.failure == Failure("damaged", "It is damaged.")
    assert failed.moved_to(Status.PROCESSING).failure is None


def test_an_upload_key_leads_back_to_its_version() -> None:
    version = replace(VERSION, filename="Ünïcode + (1) & more.pdf")

    place = ObjectKey.parse(version.object_key)

    assert (place.tenant_id, place.document_id, place.version_id) == (TENANT, DOCUMENT, version.id)
    assert place.filename == version.filename


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "///", "a/b/c/d", f"{TENANT}/{DOCUMENT}/{VERSION.id}", f"{TENANT}/{DOCUMENT}/{VERSION.id}/",
        f"{TENANT}/{DOCUMENT}/{VERSION.id}/a/b", f"/{TENANT}/{DOCUMENT}/{VERSION.id}/a",
        f"../{TENANT}/{DOCUMENT}/{VERSION.id}/a", f"{TENANT}/../{VERSION.id}/a",
        f"{{{TENANT}}}/{DOCUMENT}/{VERSION.id}/a", f"urn:uuid:{TENANT}/{DOCUMENT}/{VERSION.id}/a",
        f"{str(TENANT).upper()}/{DOCUMENT}/{VERSION.id}/a", f"{TENANT.hex}/{DOCUMENT}/{VERSION.id}/a",
        f" {TENANT}/{DOCUMENT}/{VERSION.id}/a", "\0/\0/\0/\0",
    ],
    ids=range(16),  # the keys are others in each process
)  # fmt: skip
def test_a_key_of_another_form_is_no_upload(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        ObjectKey.parse(key)

    assert refused.value.code == "foreign_object"


@given(st.text())
def test_any_key_parses_or_is_refused(key: str) -> None:
    with pytest.raises(Invalid):
        ObjectKey.parse(key)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("prices.pdf", "prices.pdf"),
        ("/etc/passwd.txt", "passwd.txt"),
        ("..\\..\\windows\\a.csv", "a.csv"),
        ("../../a.txt", "a.txt"),
        (" .hidden.txt. ", "hidden.txt"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ("a<b>:\"|?*c.txt", "a_b_c.txt"),
        ("${filename}.txt", "$_filename_.txt"),
        ("invoice\u202efdp.txt", "invoicefdp.txt"),
        ("prix été (1) & co+.docx", "prix été (1) & co+.docx"),
        ("价格 🎉.md", "价格 🎉.md"),
    ],
)  # fmt: skip
def test_a_file_name_keeps_what_people_know_it_by_and_nothing_dangerous(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@pytest.mark.parametrize("name", ["", " ", ".", "..", "/", "a/", "...", "???", "\x00", "\u202e", "_"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        safe_filename(name)

    assert refused.value.code == "invalid_filename"


def test_a_long_name_is_cut_and_keeps_its_ending() -> None:
    safe = safe_filename("n" * 500 + ".pdf")

    assert len(safe) == MAX_FILENAME
    assert safe.endswith("nnn.pdf")


@given(st.text(max_size=400), st.sampled_from(["", ".pdf", ".txt", "." + "x" * 300]))
def test_a_safe_name_fits_into_a_key_and_comes_back_from_it(name: str, ending: str) -> None:
    try:
        safe = safe_filename(name + ending)
    except Invalid:
        return
    key = replace(VERSION, filename=safe).object_key

    assert len(safe) <= MAX_FILENAME
    assert len(key.encode()) <= 1_024  # S3's bound
    assert ObjectKey.parse(key).filename == safe


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.PDF", "application/pdf"), ("a.b.csv", "text/csv"), ("a.md", "text/markdown")]
)
def test_the_ending_tells_the_type(name: str, media_type: str) -> None:
    assert media_type_of(name) == media_type


@pytest.mark.parametrize("name", ["a", "a.exe", "pdf", ".pdf", "a.pdf.zip", "a.doc"])
def test_an_unknown_ending_is_refused_and_the_message_names_the_known_ones(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        media_type_of(name)

    assert refused.value.code == "unsupported_type"
    assert "PDF" in refused.value.message


# Passages that belong together

TEXT = "".join(random.Random(7).choice("abcdefghij ") for _ in range(1_000))
ONE, TWO = VersionId(new_id()), VersionId(new_id())


def found(
    position: int,
    score: float = 1.0,
    *,
    version: VersionId = ONE,
    page: int = 1,
    size: int = 60,
    start: int | None = None,
) -> Passage:
    """A passage of a document in which each chunk begins 50 characters after the one before."""
    start = position * 50 if start is None else start
    text = TEXT[start : start + size]
    return Passage(Chunk(DOCUMENT, version, "Guide", position, text, start, start + len(text), page), score, score / 2)


def test_neighbours_become_one_passage_whose_overlap_is_there_once() -> None:
    [merged] = merge_adjacent([found(3, 0.5), found(2, 0.9), found(4, 0.7)])

    assert (merged.chunk.start, merged.chunk.end) == (100, 260)
    assert merged.chunk.text == TEXT[100:260]
    assert (merged.score, merged.similarity) == (0.9, 0.45)


def test_what_lies_between_two_neighbours_keeps_the_offsets_true() -> None:
    [merged] = merge_adjacent([found(0, size=47), found(1)])

    assert merged.chunk.text == TEXT[:47] + "\n\n\n" + TEXT[50:110]
    assert len(merged.chunk.text) == merged.chunk.end - merged.chunk.start


@pytest.mark.parametrize(
    "second",
    [found(2), found(1, page=2), found(1, version=TWO), found(1, start=500)],
    ids=["not next", "other page", "other version", "far away"],
)
def test_what_is_no_neighbour_stays_apart(second: Passage) -> None:
    assert len(merge_adjacent([found(0), second])) == 2


def test_a_passage_found_twice_is_there_once_with_its_best_score() -> None:
    assert merge_adjacent([found(0, 0.2), found(0, 0.9), found(0, 0.5)]) == [found(0, 0.9)]


def test_the_best_comes_first() -> None:
    merged = merge_adjacent([found(0, 0.3), found(5, 0.9), found(9, 0.5), found(10, 0.1)])

    assert [passage.score for passage in merged] == [0.9, 0.5, 0.3]


def test_nothing_found_is_nothing() -> None:
    assert merge_adjacent([]) == []


PLACES = st.tuples(st.integers(0, 15), st.sampled_from([ONE, TWO]), st.floats(0.1, 1))


@given(st.lists(PLACES, max_size=20), st.randoms())
def test_whatever_the_order_all_text_is_there_once_and_true_to_its_offsets(
    places: list[tuple[int, VersionId, float]], shuffle: random.Random
) -> None:
    passages = [found(position, score, version=version, page=position // 4) for position, version, score in places]
    shuffled = passages.copy()
    shuffle.shuffle(shuffled)

    merged = merge_adjacent(passages)

    assert sorted(merge_adjacent(shuffled), key=str) == sorted(merged, key=str)
    assert [p.score for p in merged] == sorted((p.score for p in merged), reverse=True)
    assert max((p.score for p in merged), default=0) == max((p.score for p in passages), default=0)
    for passage in merged:
        assert passage.chunk.text == TEXT[passage.chunk.start : passage.chunk.end]
    for passage in passages:
        holding = [
            m for m in merged
            if m.chunk.version_id == passage.chunk.version_id and m.chunk.page == passage.chunk.page
            and m.chunk.start <= passage.chunk.start and passage.chunk.end <= m.chunk.end
        ]  # fmt: skip
        assert len(holding) == 1
