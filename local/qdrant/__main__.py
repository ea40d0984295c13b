"""Serve Qdrant's API on 127.0.0.1: `python -m local.qdrant --port 6333 --path .local/qdrant`."""

import argparse
import logging
from pathlib import Path

import uvicorn

from local.qdrant.server import make_app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.qdrant", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", type=Path, required=True, help="directory of the collections")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        make_app(arguments.path),
        host="127.0.0.1",
        port=arguments.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
