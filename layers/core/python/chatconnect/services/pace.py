"""How many chunks are embedded and stored at a time."""

FIRST_BATCH, LARGEST_BATCH = 8, 64
# So long a batch may take: progress is told after each, and has to be told every two seconds.
_SECONDS = 1.0


class Pace:
    """Finds the largest batch that is short enough, from how long the last ones took.

    Of two batches of different sizes it is known what a batch takes whatever its size, such as the way to a provider.
    Where that alone takes too long, smaller batches would only be more of them: then they are as large as may be.
    """

    def __init__(self) -> None:
        self.size = FIRST_BATCH
        self._last: tuple[int, float] | None = None
        self._once = 0.0

    def took(self, chunks: int, seconds: float) -> None:
        """Take how long a batch of so many chunks took."""
        if self._last and self._last[0] != chunks:
            other, before = self._last
            each = max(0.0, (seconds - before) / (chunks - other))
            self._once = max(0.0, seconds - each * chunks)
        self._last = chunks, seconds
        room = _SECONDS - self._once
        each = max(0.0, seconds - self._once) / chunks
        wanted = LARGEST_BATCH if room <= 0 or each * LARGEST_BATCH <= room else round(room / each)
        self.size = max(1, chunks // 2, min(wanted, 2 * chunks, LARGEST_BATCH))
