"""The nodes of a search tree in the ways that programs write them down, each after its parent, siblings in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotations.formats.base import Refused, found
from annotations.records import Json

ROOTS = ("tree", "root", "search_tree", "mcts_tree", "root_node")
TAGGED = ("rstar", "react", "states", "tree", "rounds", "nodes")
PARENTS = ("parent_id", "parent", "parentId", "parent_idx", "parent_index")
IDS = ("id", "node_id", "idx", "index", "nodeId")
_TAG = re.compile(r"\d{1,9}(\.\d{1,9})*")


@dataclass(frozen=True)
class Node:
    """`place` is where it stands in the file, from 0. `parent` is the place of its parent among the nodes given."""

    place: int
    parent: int | None
    said: dict[str, Any]
    where: str


def nodes_of(document: Json) -> list[Node]:
    """The nodes of a document, the root first. Empty where it holds no tree; raises Refused where it is broken."""
    if not isinstance(document, dict):
        return []
    if isinstance(layers := document.get("steps"), list) and layers and _is_layer(layers[0]):
        return list(_of_layers(layers))
    for key in TAGGED:
        if _is_tagged(document.get(key)):
            return list(_of_tags(document[key], key))
    for key in ROOTS:
        if isinstance(root := document.get(key), dict) and "children" in root:
            return list(_nested(root, key))
    if isinstance(flat := document.get("nodes"), list) and flat and _is_flat(flat[0]):
        return _of_list(flat)
    return list(_nested(document, "")) if isinstance(document.get("children"), list) else []


def _nested(root: dict[str, Any], key: str) -> Iterator[Node]:
    waiting: list[tuple[Json, int | None, str]] = [(root, None, key)]
    place = 0
    while waiting:
        said, parent, where = waiting.pop()
        if not isinstance(said, dict):
            raise Refused(where, f"found {found(said)}; accepted is a node, an object")
        yield Node(place, parent, said, where)
        below = said.get("children")
        children = list(below.values()) if isinstance(below, dict) else below if isinstance(below, list) else []
        inside = f"{where}.children".lstrip(".")
        waiting.extend((one, place, f"{inside}[{at}]") for at, one in reversed(list(enumerate(children))))
        place += 1


def _is_flat(value: Json) -> bool:
    return isinstance(value, dict) and any(key in value for key in IDS) and any(key in value for key in PARENTS)


def _of_list(flat: list[Json]) -> list[Node]:
    """Nodes that name their parents, in any order."""
    named: dict[str, int] = {}
    for place, one in enumerate(flat):
        name = _name(one, IDS)
        if not name or name in named:
            said = found(one) if not name else f"the id {name[:40]!r} twice"
            raise Refused(f"nodes[{place}]", f"found {said}; accepted is a node with an id of its own")
        named[name] = place
    below: dict[int | None, list[int]] = {}
    for place, one in enumerate(flat):
        parent = _name(one, PARENTS)
        if parent and parent not in named and parent != "-1":
            raise Refused(f"nodes[{place}]", f"found the parent {parent[:40]!r}; accepted is the id of a node")
        below.setdefault(named.get(parent), []).append(place)
    made = list(_ordered(flat, below, "nodes"))
    if len(made) < len(flat):
        raise Refused("nodes", f"found {len(flat) - len(made)} nodes that are each other's parents; accepted is a tree")
    return made


def _ordered(flat: list[Json], below: dict[int | None, list[int]], key: str) -> Iterator[Node]:
    """Depth first, siblings as they stand in the list."""
    waiting: list[tuple[int, int | None]] = [(place, None) for place in reversed(below.get(None, []))]
    number = 0
    while waiting:
        place, parent = waiting.pop()
        yield Node(place, parent, flat[place], f"{key}[{place}]")
        waiting.extend((child, number) for child in reversed(below.get(place, [])))
        number += 1


def _name(value: Json, keys: tuple[str, ...]) -> str:
    """The id under the first of these keys; "" where it is null."""
    one = next((value[key] for key in keys if key in value), None) if isinstance(value, dict) else None
    return str(one) if isinstance(one, (str, int)) and not isinstance(one, bool) else ""


def _is_tagged(value: Json) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(_TAG.fullmatch(key[:200]) and isinstance(one, dict) for key, one in value.items())
    )


def _of_tags(tagged: dict[str, dict[str, Any]], key: str) -> Iterator[Node]:
    """Nodes that are called by their way from the root: 0, 0.1, 0.1.2. A way may leave out nodes that were not kept."""
    places = {tag: place for place, tag in enumerate(tagged)}
    order = sorted(tagged, key=lambda tag: [int(part) for part in tag.split(".")])
    numbers: dict[str, int] = {}
    for number, tag in enumerate(order):
        above = tag.rpartition(".")[0]
        while above and above not in numbers:
            above = above.rpartition(".")[0]
        numbers[tag] = number
        yield Node(places[tag], numbers.get(above), {"id": tag} | tagged[tag], f"{key}.{tag}")


def _is_layer(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("ys"), list) and isinstance(value.get("new_ys"), list)


def _of_layers(layers: list[Json]) -> Iterator[Node]:
    """A tree of thoughts layer by layer: what was kept, what was made of it, what that was worth, what was chosen."""
    first = next((one["x"] for one in layers if isinstance(one, dict) and isinstance(one.get("x"), str)), "")
    yield Node(0, None, {"state": first}, "steps")
    numbers: dict[str, int] = {}
    number = 1
    for at, layer in enumerate(layers):
        if not _is_layer(layer):
            raise Refused(f"steps[{at}]", f"found {found(layer)}; accepted is a layer with ys and new_ys")
        made: dict[str, int] = {}
        kept = [one for one in layer["ys"] if isinstance(one, str)]
        chosen = layer.get("select_new_ys")
        for place, text in enumerate(layer["new_ys"]):
            if not isinstance(text, str):
                raise Refused(f"steps[{at}].new_ys[{place}]", f"found {found(text)}; accepted is a text")
            above = max((one for one in kept if text.startswith(one)), key=len, default="")
            values = layer.get("values")
            said = {
                "state": text,
                "value": values[place] if isinstance(values, list) and place < len(values) else None,
                "selected": text in chosen if isinstance(chosen, list) else None,
            }
            yield Node(number, numbers.get(above, 0), said, f"steps[{at}].new_ys[{place}]")
            made.setdefault(text, number)
            number += 1
        numbers |= made
