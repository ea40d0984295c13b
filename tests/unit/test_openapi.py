"""One document of several functions' contracts."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from local.openapi import merged_openapi


def an_app(path: str, **fields: Any) -> FastAPI:
    """A function with one route, which answers with a `Thing` of these fields."""
    app, thing = FastAPI(), create_model("Thing", __base__=BaseModel, **fields)
    app.add_api_route(path, lambda: None, response_model=thing)
    return app


def test_every_functions_routes_and_schemas_are_in_it() -> None:
    document = merged_openapi([an_app("/a", size=(int, ...)), an_app("/b", size=(int, ...))])

    assert document["paths"].keys() == {"/a", "/b"}
    assert document["components"]["schemas"]["Thing"]["properties"].keys() == {"size"}


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="Thing"):
        merged_openapi([an_app("/a", size=(int, ...)), an_app("/b", colour=(str, ...))])
