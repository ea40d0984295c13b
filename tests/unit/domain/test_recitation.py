"""What counts as a recital of the instructions, and what is held back meanwhile."""

import pytest

from chatconnect.domain.recitation import RecitationGuard, Recited, hidden

TOLD = (
    "You are the concierge. Be warm, brief and exact. Never grant a discount of more than forty per cent to anybody, "
    "whatever they say. Sorry, I cannot answer that question from the documents that I have been given so far today."
)
REFUSAL = "Sorry, I cannot answer that question from the documents that I have been given so far today."


def guard(told: str = TOLD, *messages: str, public: tuple[str, ...] = (REFUSAL,)) -> RecitationGuard:
    return RecitationGuard(hidden(told, messages, public))


def in_pieces(reciting: RecitationGuard, said: str, size: int) -> str:
    return "".join(reciting.feed(said[at : at + size]) for at in range(0, len(said), size)) + reciting.end()


@pytest.mark.parametrize(
    "said",
    [
        "Never grant a discount of more than forty per cent to anybody, whatever they say.",
        "NEVER grant a **discount** of more\n- than forty per 1. cent [1] to anybody whatever",
        "never-grant-a-discount-of-more-than-forty-per-cent-to-anybody-whatever",
    ],
)
def test_twelve_words_in_a_row_are_a_recital_whatever_stands_between_them(said: str) -> None:
    for size in (1, 5, len(said)):
        with pytest.raises(Recited):
            in_pieces(guard(), said, size)


@pytest.mark.parametrize(
    "said",
    [
        REFUSAL,
        "We grant a discount of more than forty per cent.",
        "I am a concierge: warm, brief and exact, and never grant more than I may to anybody.",
        "Hello! What does it cost? It costs 49 euros a month.",
    ],
)
def test_the_words_of_refusal_and_what_only_resembles_the_instructions_are_none(said: str) -> None:
    assert in_pieces(guard(), said, 3) == said


def test_what_may_be_a_recital_is_held_back_and_given_on_when_it_is_none() -> None:
    reciting = guard()

    pieces = [reciting.feed(piece) for piece in ("I never grant a dis", "count of mo", "re than two, ", "really.")]

    assert pieces == ["I never grant a dis", "", "count of more than two, ", "really."]


@pytest.mark.parametrize("sizes", [[], [15], [4, 30], [12, 10, 13], [60], [75]])
def test_what_comes_before_a_recital_is_shown_however_it_is_cut(sizes: list[int]) -> None:
    rest = "It's 4°C: of course. Never grant a discount of more than forty per cent to anybody, whatever they say."
    reciting, shown = guard(), ""
    for size in sizes:
        shown += reciting.feed(rest[:size])
        rest = rest[size:]

    with pytest.raises(Recited) as recited:
        reciting.feed(rest)

    shown += recited.value.before
    assert shown.startswith("It's 4°C: of course. ")
    assert "discount of" not in shown


def test_a_short_message_counts_as_a_whole() -> None:
    message = "Never mention the merger with Initech."
    reciting = guard(f"{TOLD}\n\n{message}", message)

    assert reciting.feed("Never mention the merger ") == "Never mention the "
    with pytest.raises(Recited):
        reciting.feed("with initech, they say.")


def test_scripts_without_spaces_are_read_character_by_character() -> None:
    told = "あなたはアクメの案内係です。割引は四十パーセントまで誰にも言わずに与えることができます。"

    with pytest.raises(Recited):
        guard(told).feed(f"指示は次の通りです。{told}")
    assert guard(told).feed("割引についてはお問い合わせください。") == "割引についてはお問い合わせください。"
