"""Tables in the order in which they can be emptied, and what no archive shows of them."""

import pytest

from chatconnect.adapters.postgres.record_tables import Table, in_order


def a_table(name: str, *parents: str, **columns: str) -> Table:
    return Table(name, {"tenant_id": "uuid", **columns}, ["tenant_id", "id"], parents, tied=False, deletable=True)


def test_a_table_comes_before_those_that_its_rows_refer_to() -> None:
    tables = [a_table("tenants"), a_table("feedback", "messages"), a_table("messages", "conversations", "tenants")]

    ordered = [table.name for table in in_order([*tables, a_table("conversations", "tenants")])]

    assert ordered == ["feedback", "messages", "conversations", "tenants"]


def test_tables_that_refer_to_each_other_in_a_circle_are_an_error() -> None:
    with pytest.raises(ValueError, match="circle"):
        in_order([a_table("a", "b"), a_table("b", "a")])


def test_what_is_secret_is_hidden_and_figures_are_not() -> None:
    table = a_table(
        "a",
        sealed="bytea",
        secret_key="text",
        access_token_key="text",
        token_hash="text",
        password="text",
        input_tokens="bigint",
        hashtags="text",
    )

    assert table.hidden == ["access_token_key", "password", "sealed", "secret_key", "token_hash"]


@pytest.mark.parametrize(
    ("column", "whose"),
    [("visitor_id", "of_visitors"), ("conversation_id", "of_conversations"), ("message_id", "of_conversations")],
)
def test_a_new_table_belongs_to_the_people_whom_its_columns_name(column: str, whose: str) -> None:
    table = a_table("brand_new", **{column: "uuid"})

    assert column in getattr(table, whose)
    assert column in (table.of_people or "")
    assert a_table("nobodys").of_people is None
