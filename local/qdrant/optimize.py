"""Build the index of one shard: `python -m local.qdrant.optimize DIRECTORY`.

A process of its own, because the engine keeps Python's global lock for as long as it builds (20 s for
20,000 points of 1,536 dimensions), and a server that does not answer meanwhile is no use.
"""

import os
import sys

import qdrant_edge as edge


def main(directory: str) -> None:
    """Optimise the shard in `directory`, which nobody else may have open."""
    os.nice(10)
    shard = edge.EdgeShard.load(directory)
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main(sys.argv[1])
