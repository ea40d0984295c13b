"""What is in the packages and layers that are uploaded."""

import os
import re
import stat
import zipfile
from pathlib import Path

import pytest

from infra.bundling import PROJECT, UNZIPPED_LIMIT, Bundles, Target, pinned
from infra.layers import layer_bundle
from tests.infra.conftest import Assembly

# Function -> the dependency layers that its stack attaches.
LAYERS = {
    "chat": ("core", "web", "models"),
    "config": ("core", "web", "models"),
    "widget_config": ("core", "web"),
    "documents": ("core", "models", "parsing"),
    "realtime": ("core", "web"),
    "jobs": ("core", "models"),
    "migrate": ("core", "migrations"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_package_contains_its_handler(bundles: Bundles, name: str) -> None:
    names = bundles.function(name).names()

    assert f"functions/{name}/handler.py" in names
    assert "functions/__init__.py" in names
    assert not [n for n in names if n.endswith(".py") and not n.startswith((f"functions/{name}/", "functions/__init"))]


def test_the_streaming_server_can_be_started(bundles: Bundles) -> None:
    with zipfile.ZipFile(bundles.function("chat").path) as package:
        mode = package.getinfo("functions/chat/run.sh").external_attr >> 16

    assert mode & stat.S_IXUSR


def test_migrations_travel_with_the_function_that_applies_them(bundles: Bundles) -> None:
    folder = PROJECT / "layers" / "core" / "migrations"

    names = bundles.function("migrate", {"migrations": folder}).names()

    assert {f"migrations/{file.name}" for file in folder.glob("*.sql")} <= set(names)


@pytest.mark.parametrize("name", LAYERS)
def test_a_function_gets_the_layers_that_are_checked_here(prod: Assembly, name: str) -> None:
    function = prod.one("AWS::Lambda::Function", FunctionName=f"chatconnect-prod-{name}")

    attached = {layer["Ref"] for layer in function.properties["Layers"] if "Ref" in layer}

    expected = {f"Layers{layer.title()}" for layer in ("domain", *LAYERS[name])}
    assert {re.sub(r"[0-9A-F]{8}$", "", id_) for id_ in attached} == expected


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LAYERS)
def test_a_function_with_its_layers_fits_into_lambda(bundles: Bundles, name: str) -> None:
    parts = [bundles.function(name), *(layer_bundle(bundles, layer) for layer in ("domain", *LAYERS[name]))]

    assert sum(part.unzipped_size() for part in parts) < UNZIPPED_LIMIT


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("layer", "present", "absent"),
    [
        ("domain", {"chatconnect"}, set()),
        ("core", {"psycopg", "redis", "pydantic", "aws_lambda_powertools"}, {"openai", "fastapi", "boto3", "botocore"}),
        ("web", {"fastapi", "mangum", "uvicorn", "jwt"}, {"openai", "anthropic", "qdrant_client", "psycopg"}),
        ("models", {"openai", "anthropic", "qdrant_client", "splintr"}, {"fastapi", "pydantic", "pypdfium2"}),
        ("parsing", {"pypdfium2", "charset_normalizer"}, {"openai", "qdrant_client", "numpy"}),
    ],
)
def test_a_layer_holds_its_own_packages_only(bundles: Bundles, layer: str, present: set[str], absent: set[str]) -> None:
    packages = {Path(name).parts[1] for name in layer_bundle(bundles, layer).names() if name.startswith("python/")}

    assert present <= packages
    assert not absent & packages


@pytest.mark.timeout(600)
def test_extension_modules_are_for_lambdas_processor(bundles: Bundles) -> None:
    extensions = [n for n in layer_bundle(bundles, "core").names() if n.endswith(".so") and "cpython" in n]

    assert extensions
    assert all("cpython-313-aarch64" in name for name in extensions)


@pytest.mark.timeout(600)
def test_the_migration_program_is_on_lambdas_path(bundles: Bundles) -> None:
    assert "bin/dbmate" in layer_bundle(bundles, "migrations").names()


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = Bundles(Target.host(), cache=tmp_path / "one").function("migrate")
    second = Bundles(Target.host(), cache=tmp_path / "two").function("migrate")

    assert first.hash == second.hash
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_changed_source_changes_the_hash_and_a_touched_one_does_not(tmp_path: Path) -> None:
    source = tmp_path / "functions" / "echo" / "handler.py"
    source.parent.mkdir(parents=True)
    source.write_text("handler = None\n")
    echo = Bundles(Target.host(), root=tmp_path, cache=tmp_path / "cache")

    before = echo.function("echo").hash
    os.utime(source, (0, 0))
    touched = echo.function("echo").hash
    source.write_text("handler = print\n")
    changed = echo.function("echo").hash

    assert touched == before
    assert changed != before


def test_bytecode_is_used_without_looking_at_the_sources(tmp_path: Path) -> None:
    package = Bundles(Target.host(), cache=tmp_path).function("migrate")

    with zipfile.ZipFile(package.path) as archive:
        compiled = [n for n in archive.namelist() if n.startswith("functions/migrate/__pycache__/handler.")]
        flags = int.from_bytes(archive.read(compiled[0])[4:8], "little")

    assert flags == 0b01  # hash-based, unchecked


def test_a_layer_leaves_out_what_the_layer_below_brings(tmp_path: Path) -> None:
    below, above = tmp_path / "below.txt", tmp_path / "above.txt"
    below.write_text("shared==1.0 \\\n    --hash=sha256:aa\n")
    above.write_text(
        "own==2.0 ; python_full_version < '3.12' \\\n    --hash=sha256:bb\n"
        "own==3.0 ; python_full_version >= '3.12' \\\n    --hash=sha256:cc\n"
        "shared==1.0 \\\n    --hash=sha256:aa\nbotocore==1.0 \\\n    --hash=sha256:dd\n"
    )

    lines = pinned([above], without=[below])

    assert [line.split()[0] for line in lines.splitlines() if "==" in line] == ["own==2.0", "own==3.0"]
    assert "botocore" not in lines
