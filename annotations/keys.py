"""What the keys of the label page do: one table for the handler, the list behind `?`, the help page and the checks.

A key is a KeyboardEvent.key ("j", "ArrowDown"), two in a row ("g g"), or with modifiers: "Mod+z" (Ctrl or ⌘) and
"Shift+1", which is the key in that place however the shifted character is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Action(NamedTuple):
    """Something a key can do. `name` is what a person's own keys are kept under; those of a scheme begin with its name.

    `repeats`: also while the key is held down. `in_text`: also while a text field has the focus.
    """

    name: str
    group: str
    title: str
    keys: tuple[str, ...]
    repeats: bool = False
    in_text: bool = False


PAGE = (
    Action("next", "Move", "next step", ("j", "ArrowDown"), repeats=True),
    Action("previous", "Move", "previous step", ("k", "ArrowUp"), repeats=True),
    Action("next-open", "Move", "next unlabelled step", ("J",)),
    Action("previous-open", "Move", "previous unlabelled step", ("K",)),
    Action("next-part", "Move", "next part of the step", ("ArrowRight",), repeats=True),
    Action("previous-part", "Move", "previous part of the step", ("ArrowLeft",), repeats=True),
    Action("first", "Move", "first step", ("g g",)),
    Action("last", "Move", "last step", ("G",)),
    Action("previous-item", "Move", "previous item of mine", ("[",)),
    Action("next-item", "Move", "next item of mine", ("]",)),
    Action("clear", "Label", "clear the step's labels", ("x",)),
    Action("accept-suggestion", "Label", "accept the suggestion", ("Enter",)),
    Action("accept-ghosts", "Label", "accept what was carried on", ("p",)),
    Action("explain", "Label", "explain the label", ("e",)),
    Action("undo", "Label", "undo", ("u", "Mod+z")),
    Action("redo", "Label", "redo", ("Mod+Shift+z",)),
    Action("ask", "Label", "ask or flag", ("q",)),
    Action("fold", "Read", "fold or unfold the step", ("o",)),
    Action("fold-all", "Read", "fold or unfold everything", ("O",)),
    Action("rendered", "Read", "rendered or as written, everywhere", ("m",)),
    Action("warnings", "Read", "next warning", ("w",)),
    Action("guidelines", "Read", "the guidelines", ("h",)),
    Action("find", "Read", "find", ("/",)),
    Action("leave", "Read", "leave the text field", ("Escape",), in_text=True),
    Action("submit", "Item", "submit and go to the next (also inside text)", ("Mod+Enter",), in_text=True),
    Action("submit-all", "Item", "accept all that is suggested, and submit", ("Mod+Shift+Enter",), in_text=True),
    Action("skip", "Item", "skip, with a reason", ("s",)),
    Action("keys", "Item", "this list", ("?",)),
)

_KEY = re.compile(r"(?:Mod\+)?(?:Shift\+)?(?:[A-Z][A-Za-z0-9]+|[^\s\x00-\x1f])(?: [^\s])?")
PAGE_KEYS = frozenset(part for action in PAGE for key in action.keys if "+" not in key[1:] for part in key.split(" "))


class Resolved(NamedTuple):
    """Actions with the keys they have for one person, and the names of those that another one took every key of."""

    actions: list[Action]
    without: list[str]


def resolve(actions: Sequence[Action], own: Mapping[str, Sequence[str]]) -> Resolved:
    """A person's own keys count first, then the usual ones that are not taken."""
    chosen = {action.name: tuple(own[action.name]) for action in actions if action.name in own}
    taken = {key for keys in chosen.values() for key in keys}
    found, without = [], []
    for action in actions:
        keys = chosen.get(action.name)
        if keys is None:
            keys = tuple(key for key in action.keys if not any(clash(key, other) for other in taken))
            if action.keys and not keys:
                without.append(action.name)
        found.append(action._replace(keys=keys))
    return Resolved(found, without)


def clash(one: str, other: str) -> bool:
    """Whether pressing one would also be, or begin, the other."""
    return one == other or one.split(" ")[0] == other or other.split(" ")[0] == one


def collisions(actions: Sequence[Action]) -> list[tuple[str, Action, Action]]:
    """(key, one, other) for every key that two actions have."""
    held = [(key, action) for action in actions for key in action.keys]
    return [
        (key, one, other)
        for place, (key, one) in enumerate(held)
        for taken, other in held[place + 1 :]
        if one.name != other.name and clash(key, taken)
    ]


def is_key(text: str) -> bool:
    """Whether the text names a key as this table does."""
    return _KEY.fullmatch(text) is not None
