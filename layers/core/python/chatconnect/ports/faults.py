"""How those who run the product hear of what goes wrong beside the requests."""

from collections.abc import Callable

OnFault = Callable[[str, BaseException], None]
"""Hears what did not work, in words that name nobody, and why."""
