"""Virtual environments of their own for what the product is only compared with, installed as locked."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local.configuration import state_directory

_UV = Path(sys.executable).with_name("uv")


def installed(name: str, lock: Path) -> Path:
    """Return the Python of an environment with what `lock` names, made at the first time.

    Every file is held against its hash and nothing is built from source. Files are copied out of uv's cache: NLTK
    opens no file that has a second name. Raises CalledProcessError.
    """
    environment = state_directory() / "bench" / name
    python, stamp = environment / "bin" / "python", environment / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == digest):
        shutil.rmtree(environment, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(environment))
        options = ("--quiet", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy")
        _uv("pip", "sync", *options, "--python", str(python), str(lock))
        stamp.write_text(digest)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([str(_UV), *arguments], check=True)
