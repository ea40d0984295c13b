"""The templates of each environment, synthesised once; and the real bundles."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra.app import build
from infra.bundling import PROJECT, Bundles, Target


@dataclass(frozen=True)
class Resource:
    """One resource of a template, and the construct that it came from."""

    stack: str
    id: str
    type: str
    properties: dict[str, Any]
    definition: dict[str, Any]


class Assembly:
    """What `cdk synth` wrote for one environment."""

    def __init__(self, folder: Path) -> None:
        self.templates = {p.name.split(".")[0]: json.loads(p.read_text()) for p in folder.glob("*.template.json")}
        self.findings = json.loads((folder / "validation-report.json").read_text())["pluginReports"]

    def all(self, type_: str = "", *, stack: str = "") -> list[Resource]:
        """Return the resources of one type, or all."""
        return [
            Resource(name, id_, definition["Type"], definition.get("Properties", {}), definition)
            for name, template in self.templates.items()
            for id_, definition in template.get("Resources", {}).items()
            if type_ in ("", definition["Type"]) and stack in ("", name)
        ]

    def one(self, type_: str, *, stack: str = "", **properties: Any) -> Resource:
        """Return the only resource of a type that has these properties."""
        found = [r for r in self.all(type_, stack=stack) if properties.items() <= r.properties.items()]
        assert len(found) == 1, [r.id for r in found]
        return found[0]

    def functions(self) -> list[Resource]:
        """Return our own functions; CDK's helpers have no name."""
        return [f for f in self.all("AWS::Lambda::Function") if "FunctionName" in f.properties]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Assembly]:
    """Synthesise an environment, with empty bundles."""
    context = json.loads((PROJECT / "cdk.json").read_text())["context"] | {"mail_sender": "chat@mail.example"}

    @cache
    def synthesised(name: str) -> Assembly:
        folder = tmp_path_factory.mktemp(name)
        build(App(context={**context, "env": name, "bundling": "off"}, outdir=str(folder))).synth()
        return Assembly(folder)

    return synthesised


@pytest.fixture(scope="session")
def prod(assembly: Callable[[str], Assembly]) -> Assembly:
    return assembly("prod")


@pytest.fixture(scope="session")
def local(assembly: Callable[[str], Assembly]) -> Assembly:
    return assembly("local")


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    """Bundles for Lambda, kept between runs."""
    return Bundles(Target.aws())
