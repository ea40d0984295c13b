"""The names that people give to things."""

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.text import checked_name


@pytest.mark.parametrize("name", ["Acme", "n" * 100, "Café\u00a0Zürich", "👩\u200d🔧 repairs", "قطعات"])
def test_a_name_is_whatever_people_write(name: str) -> None:
    assert checked_name(f" {name}\n", "a widget") == name


@pytest.mark.parametrize("name", ["", " ", "\0", "\u200b", "n" * 101])
def test_a_name_is_to_be_seen_and_not_too_long(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_name(name, "the company", field="company")

    assert refused.value.details == {"field": "company"}
