"""Which encoding a text is in: what its bytes prove goes before what it says, and that before a guess."""

import codecs
import re
from collections import Counter
from contextlib import suppress

# The longer marks first: UTF-32's begins with UTF-16's.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_MARKS = tuple(mark for mark, _ in _BOMS)
# Guessing looks at this many bytes; below the smaller number there is too little to guess from.
_SAMPLE = 64 * 1024
_TOO_SHORT = 24
_FALLBACK = "cp1252"
# What is guessed among: the encodings that files came in before UTF-8, each in its largest form.
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "koi8_u", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932",
               "gb18030", "big5hkscs", "euc_jp", "cp949", "cp874"]  # fmt: skip
# By encoding, the letters beyond ASCII of each language that is written in it; the most frequent encoding first.
_ALPHABETS = {
    "cp1252": ("äöüßéàè", "àâæçéèêëîïôœùûüÿ", "àèéìíòóùú", "áéíóúüñ", "áâãàçéêíóôõúü", "àèéíïòóúüç", "åäöéü", "åäöšž",
               "æøåéèêòóô", "áéèëêïíóöüç", "áéíóúýþæöð", "ëç", "äöõüšž"),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "cp1254": ("çğıiöşüâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž"),
    "mac_roman": ("äöüßéàè", "àâæçéèêëîïôœùûüÿ", "àèéìíòóùú", "áéíóúüñ", "áâãàçéêíóôõúü", "æøåéäö"),
    "cp850": ("äöüßéàè", "àâçéèêëîïôùûü", "àèéìíòóùú", "áéíóúüñ", "áâãàçéêíóôõúü", "æøåéäö"),
}  # fmt: skip
_ALPHABET_SHARE = 0.9
# From so many different letters on it counts how many of its language's they are.
_TELLING_LETTERS = 3
# What stands inside words and is no letter.
_WITHIN_WORDS = frozenset("’\xad·–—-")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
# Names under which files mean the larger encoding, as browsers take them.
_LARGER = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "shift_jis": "cp932", "gb2312": "gb18030",
           "gbk": "gb18030", "euc_kr": "cp949", "big5": "big5hkscs", "tis-620": "cp874"}  # fmt: skip
# How Japanese mail announces its characters, of seven bits each.
_SHIFTS = re.compile(rb"\x1b\$[@B]")
_HIGH_BYTES = bytes(range(0x80, 0x100))
# Nearly all characters of a text are letters, digits, marks or blanks; of other bytes read as UTF-16 or -32 far fewer.
_READABLE_SHARE = 0.97
_BLANKS = frozenset(" \n\u3000、。，")


def decoded(data: bytes, declared: str = "") -> str:
    """Return the text of the bytes; a byte that fits no encoding becomes a replacement character.

    `declared` is the encoding that the file itself names.
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    if wide := wide_without_bom(data):
        return data.decode(wide, "replace")
    if _SHIFTS.search(data[:_SAMPLE]) and data.isascii():
        return data.decode("iso2022_jp_ext", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # One broken character in a long UTF-8 file (a cut end, a bad merge) does not make it another encoding.
        if _is_mostly_utf8(data, error.start):
            return data.decode("utf-8", "replace")
    with suppress(LookupError, ValueError):
        if declared and (codec := _text_codec(declared)) != "utf-8":
            return data.decode(codec, "replace")
    return data.decode(_guessed(data), "replace")


def has_bom(data: bytes) -> bool:
    """Say whether the bytes begin with the mark of an encoding."""
    return data.startswith(_MARKS)


def wide_without_bom(data: bytes) -> str | None:
    """Return the codec of UTF-16 or UTF-32 without a mark, which zero bytes at one same place of each unit tell."""
    sample = data[: _SAMPLE - _SAMPLE % 4]
    if b"\0" not in sample:
        return None
    units = sample[: len(sample) - len(sample) % 4]
    quarter = len(units) // 4
    if quarter:
        for codec, high, plane in (("utf-32-le", units[3::4], units[2::4]), ("utf-32-be", units[::4], units[1::4])):
            if high.count(0) == quarter and plane.count(0) > 0.5 * quarter and _is_readable(units, codec):
                return codec
    half = len(sample) // 2
    for codec, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if half and zeros.count(0) > 0.6 * half and others.count(0) < 0.02 * half:
            return codec
    # In other scripts few characters have a zero byte, such as blanks and line ends.
    either = [codec for codec in ("utf-16-le", "utf-16-be") if _is_readable(sample[: 2 * half], codec)]
    return either[0] if len(either) == 1 else None


def _is_readable(sample: bytes, codec: str) -> bool:
    text = sample.decode(codec, "replace")
    readable = sum(character.isprintable() or character.isspace() for character in text) - text.count("\ufffd")
    return readable >= _READABLE_SHARE * len(text) and not _BLANKS.isdisjoint(text)


def _is_mostly_utf8(data: bytes, first_error: int) -> bool:
    sample = data[max(0, first_error - _SAMPLE) : first_error + _SAMPLE]
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(sample) - len(sample.translate(None, _HIGH_BYTES))
    return right > 20 * wrong


def _text_codec(name: str) -> str:
    """Return the codec of a declared name; raises LookupError for one that is no encoding of text."""
    codec = codecs.lookup(name)
    "".encode(codec.name)  # raises LookupError for "base64", "zlib" and their like
    return _LARGER.get(codec.name, codec.name)


def _guessed(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if latin := _latin(sample):
        return latin
    if len(data) < _TOO_SHORT:
        return _FALLBACK
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample, cp_isolation=_CANDIDATES))
    if not matches:
        return _FALLBACK
    least = min(match.chaos for match in matches)
    clean = {match.encoding: match.coherence for match in matches if match.chaos <= least}
    best = [encoding for encoding, coherence in clean.items() if coherence >= max(clean.values())]
    return _FALLBACK if _FALLBACK in best else best[0]  # among equals, by far the most frequent


def _latin(sample: bytes) -> str | None:
    """Return the encoding in which the letters beyond ASCII are nearly all those of one language, if there is one."""
    if len(_ASCII_LETTER.findall(sample)) < len(sample) - len(sample.translate(None, _HIGH_BYTES)):
        return None  # another script
    most, found = (0.0, 0.0), None
    for codec, alphabets in _ALPHABETS.items():
        letters = _letters(sample.decode(codec, "replace"))
        fit = max(_fit(letters, alphabet) for alphabet in alphabets)
        if fit > most:
            most, found = fit, codec
    return found if most[0] >= _ALPHABET_SHARE else None


def _fit(letters: Counter[str], alphabet: str) -> tuple[float, float]:
    """Return the share of the letters that are of an alphabet, and that of the alphabet which they use."""
    if not letters:
        return 1.0, 0.0
    used = letters.keys() & set(alphabet)
    return sum(map(letters.__getitem__, used)) / letters.total(), (
        len(used) / len(alphabet) if len(used) >= _TELLING_LETTERS else 0.0
    )


def _letters(text: str) -> Counter[str]:
    """Count the letters beyond ASCII, in lower case, and as replacement characters what no writer puts into a word."""
    letters: Counter[str] = Counter()
    for match in _BEYOND_ASCII.finditer(text):
        place, character = match.start(), match[0]
        before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
        if character.isalpha():
            letters["\ufffd" if character.isupper() and before.islower() else character.lower()[0]] += 1
        elif before.isalpha() and after.isalpha() and character not in _WITHIN_WORDS:
            letters["\ufffd"] += 1
    return letters
