"""A moderator that looks for marks."""

import re
from dataclasses import dataclass, field


@dataclass
class MarkerModerator:
    """Finds the category in "[flag:category]"; remembers what it was asked, and raises `fault` when there is one."""

    asked: list[str] = field(default_factory=list)
    fault: Exception | None = None

    async def categories(self, text: str) -> tuple[str, ...]:
        self.asked.append(text)
        if self.fault is not None:
            raise self.fault
        return tuple(re.findall(r"\[flag:([a-z/-]+)\]", text))
