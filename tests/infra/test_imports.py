"""A function finds everything that it imports in its own package and layers."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.bundling import Bundles, Target
from infra.layers import layer_bundle
from tests.infra.test_bundles import LAYERS

SDK = ("boto3", "botocore", "s3transfer", "dateutil", "jmespath", "six", "urllib3")  # Lambda's runtime has it


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layer for this machine's Python, and the runtime's SDK, each in a folder of its name."""
    folder = tmp_path_factory.mktemp("layers")
    bundles = Bundles(Target.host())
    for layer in {"domain", *(layer for layers in LAYERS.values() for layer in layers)}:
        with zipfile.ZipFile(layer_bundle(bundles, layer).path) as archive:
            archive.extractall(folder / layer)
    (folder / "runtime").mkdir()
    for package in SDK:
        origin = find_spec(package)
        assert origin is not None
        assert origin.origin is not None
        found = Path(origin.origin)
        found = found.parent if origin.submodule_search_locations else found
        (folder / "runtime" / found.name).symlink_to(found)
    return folder


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LAYERS)
def test_a_function_can_be_imported_from_what_is_uploaded(extracted: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(Bundles(Target.host()).function(name).path) as archive:
        archive.extractall(tmp_path)
    layers = [extracted / layer / "python" for layer in ("domain", *LAYERS[name])]
    path = [str(folder) for folder in (tmp_path, *layers, extracted / "runtime")]

    program = f"import sys; sys.path[:0] = {path!r}; import functions.{name}.handler"
    finished = subprocess.run([sys.executable, "-S", "-c", program], cwd="/", env={}, capture_output=True, text=True)

    assert finished.returncode == 0, finished.stderr
