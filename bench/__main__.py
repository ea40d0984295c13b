"""Runs the benchmarks and prints one JSON document: `python -m bench [name ...]`; without a name, all of them.

A benchmark is a module here whose function `main` takes nothing and returns a dictionary.
"""

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from typing import Any, get_origin, get_type_hints

import bench

Benchmark = Callable[[], dict[str, Any]]


def benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks that there are, by the names of their modules."""
    found = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name != "__main__":
            main = getattr(importlib.import_module(f"bench.{module.name}"), "main", None)
            if main is not None and _returns_a_dictionary(main):
                found[module.name] = main
    return found


def run(names: list[str]) -> dict[str, Any]:
    """Run the benchmarks of these names, one after the other, and return their figures by name."""
    known = benchmarks()
    unknown = set(names) - known.keys()
    if unknown:
        raise SystemExit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    figures = {}
    for name in names or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures[name] = known[name]()
    return figures


def _returns_a_dictionary(function: Callable[..., Any]) -> bool:
    returned = get_type_hints(function).get("return")
    return (get_origin(returned) or returned) is dict


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    print(json.dumps(run(parser.parse_args().names), indent=2))
