"""What people write who try what they can get out of an assistant: patterns, in several languages."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Probe:
    """Patterns of one kind of attempt. They are only looked for in a text that holds one of the words in `needs`."""

    reason: str
    kind: str
    needs: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    def is_in(self, text: str) -> bool:
        """Whether a text that is `comparable` makes such an attempt."""
        return any(word in text for word in self.needs) and any(pattern.search(text) for pattern in self.patterns)


def probes_in(text: str) -> tuple[str, ...]:
    """Return the reasons, without repeats, why a `comparable` text looks like an attempt; mostly none."""
    return tuple(dict.fromkeys(probe.reason for probe in _probes() if probe.is_in(text)))


@cache
def kinds_of_probes() -> dict[str, str]:
    """Return the kind of signal that each reason belongs to."""
    return {probe.reason: probe.kind for probe in _probes()}


@cache
def _probes() -> tuple[Probe, ...]:
    table = json.loads(files(__package__).joinpath("probes.json").read_text("utf-8"))["probes"]
    return tuple(
        Probe(row["reason"], row["kind"], tuple(row["needs"]), tuple(map(re.compile, row["patterns"]))) for row in table
    )
