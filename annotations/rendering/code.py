"""Code in colours. No character goes, and none is added.

A handful of patterns for families of languages, each of which consumes whatever it has looked at: time grows with the
text and no faster, whoever wrote it. Lexers that know each language better take minutes over a few kilobytes made for
them (docs/decisions/009).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from annotations.rendering.tokens import COMMENT, ESCAPE, KEY, KEYWORD, LITERAL, NAME, NUMBER, STRING, Token

_WORDS = {
    "python": "and as assert async await break class continue def del elif else except finally for from global if"
    " import in is lambda match nonlocal not or pass raise return try while with yield case",
    "shell": "if then else elif fi for while until do done case esac in function return local export set unset source"
    " sudo cd echo exit trap readonly declare eval exec",
    "c": "abstract as async await auto break case catch class const constexpr continue default defer delete do else"
    " enum export extends extern final finally fn for foreach friend from func function go goto if implements impl"
    " import in inline instanceof interface let loop match mod move mut namespace new of operator override package"
    " private protected pub public readonly return select sizeof static struct super switch template throw throws"
    " trait try type typedef typeof union unsafe use using var virtual void volatile where while with yield bool"
    " boolean byte char double float int long short signed string unsigned",
    "sql": "select from where and or not insert into values update set delete create table drop alter index view join"
    " left right inner outer full cross on as group by order having limit offset union all distinct case when then else"
    " end is in like between exists primary key foreign references default unique check constraint with returning"
    " begin commit rollback explain",
    "ruby": "alias and begin break case class def defined do else elsif end ensure for if in module next not or redo"
    " require rescue retry return self super then undef unless until when while yield function library repeat",
}
_LITERALS = frozenset(
    [
        "True",
        "False",
        "None",
        "true",
        "false",
        "null",
        "nil",
        "undefined",
        "NULL",
        "TRUE",
        "FALSE",
        "NaN",
        "Inf",
        "this",
        "self",
        "NA",
    ]
)
_NAMES_NEXT = frozenset(["def", "class", "function", "func", "fn", "struct", "interface", "trait", "enum", "module"])

_DOUBLE, _SINGLE, _TICKS = r'"(?:[^"\\\n]|\\.)*"?', r"'(?:[^'\\\n]|\\.)*'?", r"`(?:[^`\\]|\\.)*`?"
_SPREAD = r'"(?:[^"\\]|\\[\s\S])*"?' r"|'[^']*'?"  # strings of a shell go on over lines
_TRIPLE = r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:""")?' r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*(?:''')?"
_HASH, _SLASHES, _STARS, _DASHES, _PERCENT = (
    r"#[^\n]*",
    r"//[^\n]*",
    r"/\*(?:[^*]|\*(?!/))*(?:\*/)?",
    r"--[^\n]*",
    r"%[^\n]*",
)


class _Family(NamedTuple):
    pattern: re.Pattern[str]
    words: frozenset[str]
    ignores_case: bool = False


def _family(words: str, comment: str, string: str, *, ignores_case: bool = False) -> _Family:
    pattern = (
        rf"(?P<comment>{comment})|(?P<string>{string})|(?P<at>@\w+)|(?P<variable>\$\w+)"
        r"|(?P<number>\b\d[\w.]*)|(?P<word>[^\W\d]\w*)|[^\w\s]|\s+"
    )
    return _Family(re.compile(pattern), frozenset(_WORDS.get(words, "").split()), ignores_case)


_FAMILIES = {
    "python": _family("python", _HASH, f"(?:\\b[rbfuRBFU]{{1,2}})?(?:{_TRIPLE}|{_DOUBLE}|{_SINGLE})"),
    "shell": _family("shell", r"(?<!\S)#[^\n]*", _SPREAD),
    "c": _family("c", f"{_SLASHES}|{_STARS}", f"{_DOUBLE}|{_SINGLE}|{_TICKS}"),
    "css": _family("", _STARS, f"{_DOUBLE}|{_SINGLE}"),
    "sql": _family("sql", f"{_DASHES}|{_STARS}", f"{_DOUBLE}|{_SINGLE}", ignores_case=True),
    "ruby": _family("ruby", _HASH, f"{_DOUBLE}|{_SINGLE}"),
    "plain": _family("", r"(?<!\S)#[^\n]*", f"{_DOUBLE}|{_SINGLE}"),
    "tex": _family("", _PERCENT, r"\\[a-zA-Z]+"),
}
_MARKUP = re.compile(
    r"(?P<comment><!--(?:[^-]|-(?!->))*(?:-->)?)|(?P<tag><[/!?]?[A-Za-z][^\s<>/\"'=]*)|(?P<end>/?>)"
    r"|(?P<string>\"[^\"<>]*\"?|'[^'<>]*'?)|(?P<key>[\w:@.-]+)|(?P<escape>&#?\w{1,30};)|[^\w\s]|\s+"
)
# A family, and what fences and tools call its languages.
_CALLED = """
python py python3 ipython pytb pycon traceback execute_python run_python python_interpreter code_interpreter
shell bash sh zsh console terminal execute_bash run_shell docker dockerfile make makefile
c cpp c++ h java javascript js jsx typescript ts tsx csharp cs go golang rust rs kotlin swift scala php dart json json5
css scss less
sql sqlite postgresql mysql
ruby rb r julia lua
plain yaml yml toml ini conf properties
tex latex
markup html xml svg vue xhtml
"""
LANGUAGES = {name: line.split()[0] for line in _CALLED.strip().splitlines() for name in line.split()}


def coloured(text: str, language: str) -> list[Token]:
    """The text in its pieces; one piece where the language is unknown."""
    family = LANGUAGES.get(language.strip().lower())
    if family is None:
        return [("", text)]
    return list(_merged(_markup(text) if family == "markup" else _pieces(text, _FAMILIES[family])))


def _pieces(text: str, family: _Family) -> Iterator[Token]:
    before = ""
    for found in family.pattern.finditer(text):
        piece, kind = found[0], found.lastgroup
        yield (_word(piece, before, family) if kind == "word" else _KINDS.get(kind, "")), piece
        before = piece if not piece.isspace() else before


_KINDS: dict[str | None, str] = {
    "comment": COMMENT,
    "string": STRING,
    "at": NAME,
    "variable": KEY,
    "number": NUMBER,
    "tag": NAME,
    "end": NAME,
    "escape": ESCAPE,
}


def _word(word: str, before: str, family: _Family) -> str:
    if before in _NAMES_NEXT:
        return NAME
    if (word.lower() if family.ignores_case else word) in family.words:
        return KEYWORD
    return LITERAL if word in _LITERALS else ""


def _markup(text: str) -> Iterator[Token]:
    """Attributes and their values have colours inside a tag; between tags the text is plain."""
    inside = False
    for found in _MARKUP.finditer(text):
        kind = found.lastgroup
        if kind == "tag":
            inside = True
        if kind == "key":
            yield KEY if inside else "", found[0]
        else:
            yield _KINDS.get(kind, "") if inside or kind in ("comment", "escape") else "", found[0]
        if kind == "end":
            inside = False


def _merged(pieces: Iterator[Token]) -> Iterator[Token]:
    """Neighbours of one class as one piece."""
    held, kind = list[str](), ""
    for now, piece in pieces:
        if now != kind and held:
            yield kind, "".join(held)
            held = []
        kind = now
        held.append(piece)
    if held:
        yield kind, "".join(held)
