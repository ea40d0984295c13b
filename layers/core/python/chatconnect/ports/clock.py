"""Time, as the services see it."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the present moment, with its time zone."""
