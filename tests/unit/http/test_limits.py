"""What is left of limits, in the fields that clients know."""

import pytest

from chatconnect.domain.budget import Cap, Left, Measure, Period, Whose
from chatconnect.domain.errors import LimitReached, NotFound, ProviderBusy
from chatconnect.http.errors import response_to, responses
from chatconnect.http.limits import limit_headers, with_limits
from tests.factories import NOON


def test_each_limit_is_told_and_the_nearest_in_the_older_fields() -> None:
    day = Cap(Measure.MESSAGES, Period.DAY, 5, whose=Whose.VISITOR).left(0, NOON)

    headers = limit_headers([Left("requests", 100, 60.0, 99, 12.2), day])

    assert headers == {
        "RateLimit-Policy": '"requests";q=100;w=60, "visitor_messages_per_day";q=5;w=86400;qu="messages"',
        "RateLimit": f'"requests";r=99;t=13, "visitor_messages_per_day";r=0;t={day.resets_in:.0f}',
        "RateLimit-Limit": "5",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": f"{day.resets_in:.0f}",
    }


def test_nobody_is_told_anything_when_nobody_counts() -> None:
    assert limit_headers([]) == {}


def test_a_refusal_tells_which_limit_it_is_for_and_how_long_to_wait() -> None:
    rate = LimitReached("too many messages", retry_after=7.5, details={"per_minute": 100})
    cap = Cap(Measure.TOKENS, Period.MONTH, 1_000).reached(NOON)

    of_rate, of_cap = response_to(rate).headers, response_to(cap).headers

    assert (of_rate["retry-after"], of_rate["ratelimit"]) == ("8", '"requests";r=0;t=8')
    assert of_rate["ratelimit-policy"] == '"requests";q=100;w=60'
    assert of_cap["ratelimit-limit"] == "1000"
    assert of_cap["ratelimit"].startswith('"tokens_per_month";r=0;t=')
    assert of_cap["ratelimit-policy"].endswith(';qu="tokens"')
    assert of_cap["retry-after"] == of_cap["ratelimit-reset"]


@pytest.mark.parametrize("error", [NotFound("answer"), ProviderBusy(3.0), LimitReached("slow down", retry_after=3)])
def test_what_is_no_limit_of_ours_tells_of_none(error: Exception) -> None:
    assert isinstance(error, NotFound | LimitReached)

    assert "ratelimit" not in response_to(error).headers


def test_the_fields_are_documented_with_answers_and_refusals() -> None:
    documented = with_limits(responses(404, 429))

    names = {"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    assert set(documented[200]["headers"]) == names
    assert set(documented[429]["headers"]) == names | {"Retry-After"}
    assert documented[429]["model"] is responses(429)[429]["model"]
    assert "headers" not in documented[404]
