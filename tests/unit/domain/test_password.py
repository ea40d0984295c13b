"""Which passwords are accepted."""

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.password import checked_password, comparable
from chatconnect.domain.secret import Secret

LONGEST = "the horse, the battery and the staple " * 4


@pytest.mark.parametrize(
    "text", ["abcd efghi", LONGEST[:128], "пароль на русском", "密码密碼不要太短好吗", "😀😁😂🤣😃😄😅😆😉😊"]
)
def test_a_password_of_ten_to_a_hundred_and_twenty_eight_characters_is_taken(text: str) -> None:
    assert checked_password(Secret(text)) == Secret(text)


@pytest.mark.parametrize("text", ["", "short", "nine char", LONGEST[:129], "aaaaaaaaaaaa", "abababababab", "1234567890",
                                  "Password123", "QWERTYUIOP", "correct"])  # fmt: skip
def test_a_password_that_is_short_long_or_everybodys_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_password(Secret(text), field="new_password")

    assert (refused.value.code, refused.value.details) == ("weak_password", {"field": "new_password"})
    assert len(text) < 5 or text not in refused.value.message


def test_a_password_is_compared_as_every_keyboard_writes_it() -> None:
    assert comparable(Secret("cafe\u0301 au lait")) == comparable(Secret("café au lait"))
    assert comparable(Secret("Ａbc")) == Secret("Abc")
