"""What FastAPI gives to routes."""

from inspect import iscoroutinefunction
from types import ModuleType

import pytest
from fastapi.params import Depends

from chatconnect.http import authentication, sessions
from functions.config import services


@pytest.mark.parametrize("module", [authentication, sessions, services])
def test_no_request_takes_a_thread_for_what_is_no_coroutine(module: ModuleType) -> None:
    given = {
        name: each.dependency
        for name, hint in vars(module).items()
        for each in getattr(hint, "__metadata__", ())
        if isinstance(each, Depends)
    }

    assert len(given) > 5
    assert [name for name, dependency in given.items() if not iscoroutinefunction(dependency)] == []
