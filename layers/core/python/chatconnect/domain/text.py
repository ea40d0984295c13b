"""Text from outside, made safe to store and to show."""

import re
import unicodedata

from chatconnect.domain.errors import Invalid

LONGEST_NAME = 100
UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A character of a script that has no spaces between words."""
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")


def cleaned(text: str, *, keep: str = "") -> str:
    """Return the text without control characters (but those in `keep`) and without surrounding white space.

    Gone are C0 and C1 controls (a database refuses NUL), lone surrogates, and the invisible marks that reorder or hide
    text (bidi overrides, tags). What joins characters stays: emoji and combining marks survive.
    """
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else "", text).strip()


def checked_name(text: str, whose: str, *, field: str = "name") -> str:
    """Return a name as it is kept: cleaned, of 1 to 100 characters that are to be seen. Raises Invalid."""
    name = cleaned(text)
    if not is_visible(name) or len(name) > LONGEST_NAME:
        raise Invalid(f"{whose} needs a name of 1 to {LONGEST_NAME} characters", details={"field": field})
    return name


def comparable(text: str) -> str:
    """Return the text as rules compare it: one form of each character, no letter case, single spaces, nothing unseen.

    So that neither wide letters nor characters without a width hide a word.
    """
    normal = unicodedata.normalize("NFKC", text)
    unseen = {ord(c): None for c in set(normal) if unicodedata.category(c) == "Cf"}
    if unseen:
        normal = normal.translate(unseen)
    return " ".join(normal.casefold().split())


def is_visible(text: str) -> bool:
    """Whether there is anything to read in it: more than white space and zero-width characters."""
    return any(not c.isspace() and unicodedata.category(c) != "Cf" for c in text)
