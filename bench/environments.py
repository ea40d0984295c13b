"""Virtual environments of their own for what the product is only compared with, installed as locked."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local.configuration import state_directory

_UV = Path(sys.executable).with_name("uv")


class NotInstalled(Exception):
    """It could not be installed; the message says why."""


def installed(name: str, lock: Path) -> Path:
    """Return a virtual environment with what `lock` names, made at the first time. Raises NotInstalled.

    Every file is held against its hash and nothing is built from source. Files are copied out of uv's cache: NLTK
    opens no file that has a second name.
    """
    environment = state_directory() / "bench" / name
    stamp, digest = environment / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == digest):
        shutil.rmtree(environment, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(environment))
        options = ("--quiet", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy")
        _uv("pip", "sync", *options, "--python", str(environment / "bin" / "python"), str(lock))
        stamp.write_text(digest)
    return environment


def _uv(*arguments: str) -> None:
    done = subprocess.run([str(_UV), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise NotInstalled(done.stdout.decode(errors="replace").strip()[-500:])
