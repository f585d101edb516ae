"""Where a text can be cut: paragraphs, numbered steps, sentences, thoughts. Code, maths and tables stay whole."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

import sentencex  # type: ignore[import-untyped]

Span = tuple[int, int]

LONGEST = 2_000_000  # characters; a longer text stays whole
MOST = 10_000  # pieces of a text; what comes after stays with the last
REACH = 50_000  # characters in which a formula or a table of HTML must end
NAMES = 50  # kinds of endings that are looked for in a text
LINE = 20_000  # characters; a longer line is not searched for sentences

_FENCE = re.compile(r"^[ \t>]*(?P<mark>`{3,}|~{3,})(?P<rest>[^\n]*)$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]{1,2000}`")
_INLINE = re.compile(r"\$(?=[^\s$])[^$\n]{1,500}(?<=\S)\$(?!\d)")
_OPENS = re.compile(r"\$\$|\\\[|\\\(|\\begin\{([^{}\n]{1,40})\}|<table\b", re.IGNORECASE)
_CLOSES = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_TABLE = re.compile(
    r"^[^\n|]*\|[^\n]*\n[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|?[ \t:|-]*\n(?:[^\n|]*\|[^\n]*(?:\n|\Z))*", re.MULTILINE
)

_BLANK = re.compile(r"\n(?:[ \t\r]*\n)+")
_INDENTED = re.compile(r" {4}| {0,3}\t")
_HEADING = re.compile(r"\s*(?:#{1,6}[ \t][^\n]*|\*\*[^\n*]+\*\*:?[ \t]*|[^\n]+\n[=-]{3,}[ \t]*)\s*")
_MARKER = re.compile(r"\s*(?:[-*+•#>]+|[(\[]?\d{1,3}[.)\]:])\s*")
_MARKED = re.compile(r"\s*(?:(?:[-*+•]|[(\[]?\d{1,3}[.)\]])[ \t]+)?")
_LISTED = re.compile(r"^[ \t]*(?:[-*+•]|[(\[]?\d{1,3}[.)\]])[ \t]+\S", re.MULTILINE)

_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten"
_STEP = re.compile(
    rf"""^[ \t]*(?:>[ \t]*)?(?:\#{{1,6}}[ \t]*)?(?:[-*+][ \t]+)?(?:\*{{1,3}}|_{{1,3}}|<b>|[(\[])?[ \t]*
    (?:step|stage|phase|schritt|étape|etape|paso|passo|шаг|步骤)[ \t\#№]*(?:\d{{1,3}}|(?:{_WORDS})\b)
    (?:[ \t]*\([^()\n]{{0,80}}\))?[ \t]*(?:[:：.)\]–—-]|\*{{1,3}}|_{{1,3}}|</b>|\r?$)""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_ITEM = re.compile(r"^([ \t]{0,3})(?:\*{1,2})?[(\[]?(\d{1,3})(?:[.)\]:](?=[ \t*\r\n]|\Z)|、)", re.MULTILINE)

_THOUGHT = "think|thinking|thought|thoughts|reasoning|scratchpad|seed:think"
_TAG = re.compile(
    rf"(?P<open><(?:{_THOUGHT})>|<\|begin_of_thought\|>|◁think▷|\[THINK\])"
    rf"|(?P<close></(?:{_THOUGHT})>|<\|end_of_thought\|>|◁/think▷|\[/THINK\])[ \t\r\n]*",
    re.IGNORECASE,
)


def thoughts(text: str) -> list[Span]:
    """The pieces of a text that are thought and those that are said, by the tags around thoughts."""
    if len(text) > LONGEST:
        return [(0, len(text))]
    closed = [span for span in _fences(text) if span[1] < len(text)]
    return _pieces(text, _around_thoughts(text), closed, _says_something)


def paragraphs(text: str) -> list[Span]:
    """A heading is one with what follows it, and so is a paragraph with those that are indented under it."""
    return _within_thoughts(text, _at_blank_lines, _stands_alone)


def numbered(text: str) -> list[Span]:
    """A text with headings like "Step 1:" is cut at these, another at its first numbered list, item by item. What
    stands before the first is a piece of its own."""
    return _within_thoughts(text, _at_numbers, _says_something)


def sentences(text: str) -> list[Span]:
    """Paragraphs, items of lists and sentences."""
    return _within_thoughts(text, _at_sentences, _stands_alone)


def _around_thoughts(text: str) -> Iterator[int]:
    for tag in _TAG.finditer(text):
        yield tag.start() if tag["open"] else tag.end()


def _at_blank_lines(text: str) -> Iterator[int]:
    return (one.end() for one in _BLANK.finditer(text) if not _INDENTED.match(text, one.end()))


def _at_numbers(text: str) -> Iterable[int]:
    return [one.start() for one in _STEP.finditer(text)] or _items(text)


def _items(text: str) -> list[int]:
    """Where the items of the first list that counts up from 0 or 1 begin; nothing where it is no list of several."""
    found: list[int] = []
    indent, wanted = "", -1
    for one in _ITEM.finditer(text):
        number = int(one[2])
        if not found and number in (0, 1):
            indent = one[1]
        elif not found or number != wanted or one[1] != indent:
            continue
        found.append(one.start())
        wanted = number + 1
    return found if len(found) > 1 else []


def _at_sentences(text: str) -> Iterator[int]:
    lines = sorted({0, *_at_blank_lines(text), *(one.start() for one in _LISTED.finditer(text))})
    for start, end in zip(lines, [*lines[1:], len(text)], strict=True):
        yield start
        begun = start + len(_MARKED.match(text[start:end])[0])  # type: ignore[index]  # it matches nothing at least
        for one in () if end - begun > LINE else sentencex.get_sentence_boundaries("en", text[begun:end]):
            said = text[begun + one["start_index"] : begun + one["end_index"]]
            yield begun + one["start_index"] + len(said) - len(said.lstrip())


def _within_thoughts(text: str, cuts: Callable[[str], Iterable[int]], stands: Callable[[str], bool]) -> list[Span]:
    """The pieces of each thought, and of what is said between them."""
    if len(text) > LONGEST:
        return [(0, len(text))]
    found: list[Span] = []
    for start, end in thoughts(text):
        inner = text[start:end]
        whole = [*_fences(inner), *_formulas(inner)]
        found.extend((start + one, start + other) for one, other in _pieces(inner, cuts(inner), whole, stands))
    return found if len(found) <= MOST else [*found[: MOST - 1], (found[MOST - 1][0], len(text))]


def _pieces(text: str, cuts: Iterable[int], whole: Iterable[Span], stands: Callable[[str], bool]) -> list[Span]:
    """The text cut there, but not within `whole`, not after what cannot stand alone, not before blanks alone."""
    spans = sorted(whole)
    starts = [start for start, _ in spans]
    ends = list(_furthest(spans))
    found, last = [0], len(text.rstrip())
    for cut in sorted(set(cuts)):
        before = bisect_right(starts, cut - 1) - 1
        inside = before >= 0 and ends[before] > cut
        if found[-1] < cut < last and not inside and stands(text[found[-1] : cut]):
            found.append(cut)
    return list(zip(found, [*found[1:], len(text)], strict=True))


def _furthest(spans: list[Span]) -> Iterator[int]:
    end = 0
    for span in spans:
        end = max(end, span[1])
        yield end


def _says_something(piece: str) -> bool:
    return not piece.isspace()


def _stands_alone(piece: str) -> bool:
    """Whether it is more than a heading or the mark of an item."""
    said = piece.strip()
    return bool(said) and (len(said) > 300 or not (_HEADING.fullmatch(said) or _MARKER.fullmatch(said)))


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with blanks in the place of the spans."""
    kept, last = [], 0
    for start, end in spans:
        kept += [text[last:start], " " * (end - start)]
        last = end
    return "".join([*kept, text[last:]])


def _fences(text: str) -> Iterator[Span]:
    """Blocks of code; one that is not closed goes on to the end."""
    start, mark = -1, ""
    for line in _FENCE.finditer(text):
        if start < 0:
            if "`" not in line["rest"]:
                start, mark = line.start(), line["mark"]
        elif line["mark"].startswith(mark) and not line["rest"].strip():
            yield start, line.end()
            start = -1
    if start >= 0:
        yield start, len(text)


def _formulas(text: str) -> Iterator[Span]:
    """Formulas, tables and code within a line, outside blocks of code."""
    text = _without(text, _fences(text))
    for code in _CODE.finditer(text):
        yield code.span()
    text = _CODE.sub(lambda code: " " * len(code[0]), text)
    yield from (table.span() for table in _TABLE.finditer(text))
    yield from _closed(text)
    yield from (one.span() for one in _INLINE.finditer(text))


def _closed(text: str) -> Iterator[Span]:
    """What begins with one mark and ends with another. Each ending is looked for once, however often it is opened."""
    last = 0
    ends: dict[str, int] = {}
    for opening in _OPENS.finditer(text):
        closing = _CLOSES.get(opening[0]) or (f"\\end{{{opening[1]}}}" if opening[1] else "</table>")
        if opening.start() < last or (closing not in ends and len(ends) == NAMES):
            continue
        if 0 <= ends.get(closing, 0) < opening.end():
            ends[closing] = text.find(closing, opening.end())
        if 0 <= ends[closing] < opening.end() + REACH:
            last = ends[closing] + len(closing)
            yield opening.start(), last
