"""What is kept of the tools of an answer."""

from chatconnect.domain.context import MOST_KEPT, OfferedTool, PromptContext, ToolRound, ToolUse

CONTEXT = PromptContext("Acme", "Where is it?")


def test_what_the_tools_did_is_kept_as_it_was() -> None:
    rounds = [
        ToolRound("Let me look.", (ToolUse("orders", '{"id": 1}', "It left."), ToolUse("stock", "{", "Error", True))),
        ToolRound("", (ToolUse("orders", "{}", ""),)),
    ]

    assert CONTEXT.with_rounds(rounds).rounds == tuple(rounds)
    assert CONTEXT.with_rounds([]) == CONTEXT


def test_long_results_are_cut_together_and_every_call_stays() -> None:
    long = "x" * (MOST_KEPT // 3)
    rounds = [ToolRound("a", (ToolUse("orders", long, long),)) for _ in range(3)]

    kept = CONTEXT.with_rounds(rounds).rounds

    texts = [text for each in kept for use in each.uses for text in (each.said, use.arguments, use.result)]
    assert sum(map(len, texts)) == MOST_KEPT
    assert [use.name for each in kept for use in each.uses] == ["orders"] * 3
    assert kept[0].uses[0].result == long
    assert kept[2].uses[0].result == ""


def test_what_tools_there_were_is_kept_and_of_very_long_ones_the_name() -> None:
    short, long = OfferedTool("orders", "Finds.", {"type": "object"}), OfferedTool("stock", "x" * MOST_KEPT, {"a": 1})

    assert CONTEXT.with_tools([short, long, short]).tools == (
        short, OfferedTool("stock", "", {}), OfferedTool("orders", "", {}),
    )  # fmt: skip


def test_what_no_store_takes_is_left_out() -> None:
    [kept] = CONTEXT.with_rounds([ToolRound("a\0b", (ToolUse("or\0ders", '"\ud83d"', "\0"),))]).rounds

    assert (kept.said, kept.uses[0].arguments, kept.uses[0].result) == ("ab", '"?"', "")
    assert kept.uses[0].name == "orders"
