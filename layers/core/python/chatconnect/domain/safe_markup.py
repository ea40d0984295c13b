"""Makes an answer's Markdown safe while it streams, whoever shows it: no images, no HTML, no links but allowed ones.

What could become one of these in any reader of Markdown is broken by the smallest change that shows: a space, or an
invisible character. Only fenced code stays as it is. Where readers could differ about what is code, nothing is taken
for code: being wrong then costs an invisible character, and never lets a link through.
"""

import re
from collections.abc import Callable

from chatconnect.domain.links import ADDRESS, AFTER_ADDRESS

BREAK = "\u200b"
"""Is not seen, and ends what would be an address or a tag."""

LONGEST_HELD = 2_100
_LONGEST_CODE = 300
_SPECIAL = re.compile(r"[\\`!\]<:~\n]|(?<!\w)[wW]")
_TARGET = re.compile(r"""\]\((?P<address>[^\s()<>"'\\`|]{1,2000})(?:[ \t]+"[^"\n\\<>\[\]`]{0,300}")?\)""")
_TARGET_BEGUN = re.compile(r"""\]\([^\s()<>'\\`|]{0,2000}(?:[ \t]+(?:"[^"\n\\<>\[\]`]{0,300}"?)?)?\Z""")
_BEYOND_ADDRESS = re.compile(r"""[\s<>"'`|\[\]\\^{}]""")
_LONGEST_ADDRESS = 1_900
_CODE = re.compile(r"(?P<ticks>`{1,2})(?!`)(?P<code>[^`|\n]{1,300})(?P=ticks)(?!`)")
_CODE_BEGUN = re.compile(r"`{1,2}(?:[^`|\n]{0,300}`?)?\Z")
_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})[^`\n]{0,200}\n")
_FENCE_BEGUN = re.compile(r"(?:`{1,2}|~{1,2}|(?:`{3,}|~{3,})[^`\n]{0,200})\Z")
_FENCE_END = re.compile(r" {0,3}(?:`+|~+)[ \t]*\n?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}\Z", re.IGNORECASE)
_LINKED_IN_CODE = ("](", "]:", "://", "www.")

_Piece = tuple[str, int]  # what is shown, and how much of the text it stands for


class SafeMarkup:
    """Takes an answer piece by piece. Held back is only what is not decided yet, and that is never long.

    `may_link` says of an address whether a link to it is allowed.
    """

    def __init__(self, may_link: Callable[[str], bool]) -> None:
        self._may_link = may_link
        self._text = ""
        self._shown = ""  # the end of what is settled already
        self._fence = ""  # the marks that began the block of code that we are in
        self._blank = True  # the line so far
        self._trust_fences = self._trust_code = True
        self._handlers = {
            "\\": self._escape, "`": self._tick, "~": self._tilde, "!": self._exclamation, "]": self._bracket,
            "<": self._angle, ":": self._colon, "w": self._www, "W": self._www,
        }  # fmt: skip

    def feed(self, text: str) -> str:
        """Return what can be shown now."""
        if not (self._text or self._fence or "\r" in text or _SPECIAL.search(text)):  # as most pieces are
            self._settle(text)
            return text
        self._text += text.replace("\r\n", "\n").replace("\r", "\n")
        return self._settled(final=False)

    def end(self) -> str:
        """Return what was held back."""
        return self._settled(final=True)

    def whole(self, text: str) -> str:
        """Return a text that comes in one piece."""
        return self.feed(text) + self.end()

    def _settled(self, *, final: bool) -> str:
        pieces: list[str] = []
        at, text = 0, self._text
        while at < len(text):
            if self._fence:
                piece = self._fenced(text, at, self._fence, final=final)
            else:
                special = self._next(text, at)
                if special > at:
                    piece = text[at:special], special - at
                else:
                    piece = self._line_end() if text[at] == "\n" else self._handlers[text[at]](text, at, final=final)
            if piece is None:
                break
            shown, length = piece
            pieces.append(shown)
            self._settle(text[at : at + length])
            at += length
        self._text = text[at:]
        return "".join(pieces)

    def _settle(self, text: str) -> None:
        """Remember what comes before the rest."""
        self._shown = (self._shown + text)[-20:]
        if text.endswith("\n"):
            self._blank = True
        elif text.strip(" \t"):
            self._blank = False

    def _next(self, text: str, at: int) -> int:
        found = _SPECIAL.search(text, at)
        return found.start() if found else len(text)

    def _at_line_start(self) -> bool:
        return not self._shown or self._shown.endswith("\n")

    def _fenced(self, text: str, at: int, fence: str, *, final: bool) -> "_Piece | None":
        """Let code through, line by line, up to the line that ends it."""
        end = text.find("\n", at)
        line = text[at:] if end < 0 else text[at : end + 1]
        if not self._at_line_start():  # its beginning was shown, and it ended nothing
            return line, len(line)
        mark, kept = fence[0], line.strip()
        may_end = set(kept) <= {mark}
        if end < 0 and not final and may_end and len(line) < LONGEST_HELD:
            return None
        if kept and may_end and len(kept) >= len(fence):
            # Readers differ about one that is indented in other ways.
            self._trust_fences = self._trust_code = _FENCE_END.fullmatch(line) is not None
            self._fence = ""
        return line, len(line)

    def _line_end(self) -> _Piece:
        if self._blank:
            self._trust_code = self._trust_fences  # no span of code goes beyond its paragraph
        return "\n", 1

    def _escape(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        if at + 1 == len(text) and not final:
            return None
        escaped = text[at + 1 : at + 2]
        length = 2 if escaped and escaped in "\\`~" else 1
        return text[at : at + length], length

    def _tick(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        if self._may_be_fence(text, at, final=final):
            return self._fence_at(text, at)
        if self._trust_code and (code := _CODE.match(text, at)):
            if code.end() == len(text) and not final:
                return None  # a further tick would make it something else
            if not any(each in code["code"].lower() for each in _LINKED_IN_CODE):
                return code[0], len(code[0])
        elif self._trust_code and not final and _CODE_BEGUN.match(text, at) and len(text) - at < _LONGEST_CODE:
            return None
        return self._untrusted(text, at, final=final)

    def _tilde(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        if self._may_be_fence(text, at, final=final):
            return self._fence_at(text, at)
        if text.startswith("~~~", at):
            return self._untrusted(text, at, final=final)
        return "~", 1

    def _may_be_fence(self, text: str, at: int, *, final: bool) -> bool:
        """Whether a block of code begins here, as far as can be seen."""
        if not self._trust_fences or not self._at_line_start():
            return False
        return bool(_FENCE.match(text, at)) or (not final and bool(_FENCE_BEGUN.match(text, at)))

    def _fence_at(self, text: str, at: int) -> "_Piece | None":
        """Return the line that begins a block of code, or None when that is not certain yet."""
        if (fence := _FENCE.match(text, at)) is None:
            return None
        self._fence = fence["fence"]
        return fence[0], len(fence[0])

    def _untrusted(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        """Take marks of code for themselves, and no later ones for code: they may belong to these."""
        mark = text[at]
        end = at
        while end < len(text) and text[end] == mark:
            end += 1
        if end == len(text) and not final and end - at < LONGEST_HELD:
            return None
        self._trust_code = False
        if end - at >= 3:
            self._trust_fences = False
        return text[at:end], end - at

    def _exclamation(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        if at + 1 == len(text):
            return ("!", 1) if final else None
        if text[at + 1] != "[":
            return "!", 1
        stands_alone = not self._shown or self._shown[-1].isspace()
        return ("" if stands_alone else "! "), 1

    def _bracket(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        following = text[at + 1 : at + 2]
        if not following:
            return ("]", 1) if final else None
        if following == ":":
            return "] ", 1
        if following != "(":
            return "]", 1
        if (target := _TARGET.match(text, at)) and self._may_link(target["address"]):
            return target[0], len(target[0])
        if target is None and not final and _TARGET_BEGUN.match(text, at):
            return None
        return "] ", 1

    def _angle(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        following = text[at + 1 : at + 2]
        if not following and not final:
            return None
        return (f"<{BREAK}" if following.isalpha() or following in ("/", "!", "?") else "<"), 1

    def _colon(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        if not text.startswith("://", at):
            return None if not final and text[at:] in (":", ":/") else (":", 1)
        beyond = _BEYOND_ADDRESS.search(text, at + 3)
        end = beyond.start() if beyond else len(text)
        if end == len(text) and not final and end - at < _LONGEST_ADDRESS:
            return None
        scheme, rest = _SCHEME.search(self._shown), _without_image(text, at, end)
        if scheme and self._allows(scheme[0] + rest):
            return rest, len(rest)
        return f":/{BREAK}/", 3

    def _allows(self, address: str) -> bool:
        """Whether a link may lead there, with or without what ends a sentence."""
        return self._may_link(address) or self._may_link(address.rstrip(AFTER_ADDRESS))

    def _www(self, text: str, at: int, *, final: bool) -> "_Piece | None":
        inside_word = at == 0 and self._shown[-1:].isalnum()
        if inside_word or not re.match(r"(?i)www\.", text[at:]):
            begun = not final and not inside_word and "www.".startswith(text[at:].lower())
            return None if begun else (text[at], 1)
        address = ADDRESS.match(f"https://{text[at:]}")
        length = len(address[0]) - len("https://") if address else 4
        if at + length == len(text) and not final and length < _LONGEST_ADDRESS:
            return None
        if address and self._allows(address[0]):
            shown = _without_image(text, at, at + length)
            return shown, len(shown)
        return f"{text[at : at + 3]}{BREAK}.", 4


def _without_image(text: str, at: int, end: int) -> str:
    """Return an address without the mark at its end that would begin an image with what follows it."""
    return text[at:end].rstrip("!") if text.startswith("[", end) else text[at:end]
