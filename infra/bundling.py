"""Zip files for Lambda: function packages and layers, built without Docker.

A bundle is named by a hash of everything that goes into it, so building one twice gives the same
asset and costs nothing. Dependencies are wheels for the target, verified against their recorded hashes.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
UNZIPPED_LIMIT = 250 * 1024 * 1024  # bytes: Lambda's, for a function together with its layers

# The runtime brings these as a matching set; a part of the set in a layer would break it.
_PROVIDED_BY_LAMBDA = frozenset({"boto3", "botocore", "s3transfer"})
_NEEDLESS = {".pyi", ".pyx", ".pxd", ".h", ".c", ".a"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip file can hold; equal times give equal files


@dataclass(frozen=True, slots=True)
class Target:
    """The Python and the platform that a bundle runs on."""

    python_version: str
    platform: str

    @classmethod
    def aws(cls) -> "Target":
        """Lambda's Python 3.13 on Graviton."""
        return cls("3.13", "aarch64-manylinux_2_28")

    @classmethod
    def host(cls) -> "Target":
        """This Python: the emulator runs functions in it."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        systems = {"Linux": "{machine}-manylinux_2_28", "Darwin": "{machine}-apple-darwin"}
        machine = platform.machine().replace("arm64", "aarch64")
        return cls(version, systems[platform.system()].format(machine=machine))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A zip file and the hash of what went into it."""

    path: Path
    hash: str

    def names(self) -> list[str]:
        """Return the paths inside."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.namelist()

    def unzipped_size(self) -> int:
        """Return the bytes that it takes on Lambda's disk."""
        with zipfile.ZipFile(self.path) as archive:
            return sum(entry.file_size for entry in archive.infolist())


class Bundles:
    """Builds bundles for one target and keeps them in `cache`.

    With `build=False` every bundle is an empty zip under its right hash: enough to look at templates.
    """

    def __init__(self, target: Target, *, root: Path = PROJECT, cache: Path | None = None, build: bool = True) -> None:
        self._target, self._root, self._build = target, root, build
        self._cache = cache or PROJECT / ".local" / "bundles"

    def function(self, name: str, extra: Mapping[str, Path] | None = None) -> Bundle:
        """Return the package `functions.<name>`, and each `extra` folder under its key."""
        sources = {f"functions/{name}": self._root / "functions" / name, **(extra or {})}

        def assemble(folder: Path) -> None:
            for place, source in sources.items():
                _copy(source, folder / place)
            (folder / "functions" / "__init__.py").touch()
            self._compile(folder, "/var/task")

        return self._bundle(f"function-{name}", _fingerprint(sources), assemble)

    def domain_layer(self) -> Bundle:
        """Return the layer with the package `chatconnect`."""
        source = self._root / "layers" / "core" / "python"

        def assemble(folder: Path) -> None:
            _copy(source, folder / "python")
            self._compile(folder / "python", "/opt/python")

        return self._bundle("layer-domain", _fingerprint({"python": source}), assemble)

    def dependency_layer(self, name: str, requirements: str, *, programs: bool = False) -> Bundle:
        """Return a layer with the wheels of `requirements` (pinned and hashed lines).

        `programs` moves the executables that the wheels bring to `bin`, which is on PATH in Lambda;
        otherwise they are left out.
        """

        def assemble(folder: Path) -> None:
            packages = folder / "python"
            self._install(requirements, packages)
            if programs:
                shutil.move(packages / "bin", folder / "bin")
            _prune(packages)
            self._compile(packages, "/opt/python")

        return self._bundle(f"layer-{name}", requirements.encode(), assemble)

    def site(self) -> Bundle:
        """Return the static web files: the built scripts at the root, each page in a folder of its name."""
        web = self._root / "web"
        sources = {page: web / page for page in ("demo", "dashboard") if (web / page).is_dir()}
        sources["."] = web / "dist"

        def assemble(folder: Path) -> None:
            if not (web / "dist").is_dir():
                raise FileNotFoundError("web/dist: build the widget first")
            for place, source in sources.items():
                _copy(source, folder / place)

        return self._bundle("site", _fingerprint(sources), assemble)

    def _bundle(self, name: str, content: bytes, assemble: Callable[[Path], None]) -> Bundle:
        recipe = f"{self._target} {self._compiler is not None}\n".encode() + Path(__file__).read_bytes()
        digest = hashlib.sha256(name.encode() + recipe + content).hexdigest()
        path = self._cache / (f"{name}-{digest[:16]}.zip" if self._build else "empty.zip")
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._cache) as folder:
                content_folder = Path(folder, "content")
                content_folder.mkdir()
                if self._build:
                    sys.stderr.write(f"bundling {name}\n")  # minutes of silence look like a hang
                    assemble(content_folder)
                archive = Path(folder, path.name)
                _zip(content_folder, archive)
                archive.replace(path)  # at once, so that an interrupted build leaves no half a bundle
        return Bundle(path, digest)

    def _install(self, requirements: str, packages: Path) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(requirements)
            file.flush()
            subprocess.run(
                [
                    _uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
                    "--python-version", self._target.python_version, "--python-platform", self._target.platform,
                    "--link-mode", "copy", "--target", packages, "--requirements", file.name,
                ],
                check=True,
            )  # fmt: skip

    @cached_property
    def _compiler(self) -> str | None:
        """A Python of the target's version. Without one there is no bytecode, and cold starts are slower."""
        return _find_python(self._target.python_version)

    def _compile(self, folder: Path, deployed_at: str) -> None:
        """Add bytecode that Python uses without looking at the sources' times, which a zip does not keep."""
        if self._compiler is not None:
            subprocess.run(
                [
                    self._compiler, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash",
                    "-s", folder, "-p", deployed_at, folder,
                ],
                check=False,  # some wheels carry templates, which do not compile and are never imported
                stdout=subprocess.DEVNULL,
            )  # fmt: skip


def pinned(paths: Iterable[Path], *, without: Iterable[Path] = (), only: Iterable[str] = ()) -> str:
    """Return the pinned, hashed lines of the requirement files `paths`, each package once.

    Packages pinned in `without` are left out (a layer below brings them), as is the AWS SDK; with `only`,
    nothing but those packages.
    """
    excluded = _PROVIDED_BY_LAMBDA.union(*(_pins(path) for path in without))
    wanted = {name: lines for path in paths for name, lines in _pins(path).items() if name not in excluded}
    chosen = {name: wanted[name] for name in only} if only else wanted
    return "".join(chosen[name] for name in sorted(chosen))


def _pins(path: Path) -> dict[str, str]:
    """Return the lines of each package; a package may be pinned once per Python version."""
    pins: dict[str, str] = {}
    for entry in re.findall(r"^[a-z0-9][^\n]*\\\n(?:    --hash[^\n]*\n)+", path.read_text(), re.MULTILINE):
        name = re.split(r"[=\[ ]", entry, maxsplit=1)[0]
        pins[name] = pins.get(name, "") + entry
    return pins


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _fingerprint(sources: Mapping[str, Path]) -> bytes:
    digest = hashlib.sha256()
    for place, folder in sources.items():
        for file in _files(folder):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{place}/{file.relative_to(folder)} {os.access(file, os.X_OK)} {content}\n".encode())
    return digest.digest()


def _copy(source: Path, destination: Path) -> None:
    shutil.copytree(source, destination, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _prune(packages: Path) -> None:
    """Remove what no import needs: tests, sources of extensions, scripts that name the build machine."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for folder in [p for p in packages.rglob("tests") if p.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in _files(packages):
        if file.suffix in _NEEDLESS:
            file.unlink()


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            out.writestr(entry, file.read_bytes())
        if not out.namelist():
            out.writestr(zipfile.ZipInfo("empty", _EPOCH), b"")  # an archive without entries is refused as corrupt


def _uv() -> str:
    beside_python = Path(sys.executable).with_name("uv")
    return str(beside_python) if beside_python.exists() else "uv"


def _find_python(version: str) -> str | None:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = subprocess.run(
        [_uv(), "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
