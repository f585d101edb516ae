"""How a person likes to work: keys of their own, and whether an answer moves on to the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from annotations import keys, schemes
from annotations.keys import Action, Resolved
from annotations.models import Project, User
from annotations.schemes import keys as scheme_keys
from annotations.schemes.schema import Scheme
from annotations.services.projects import DEFAULT, scheme_of


class Refused(Exception):
    """Keys that cannot be: what is wrong by the name of the action."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True)
class Preferences:
    """`keys`: an action's name → the keys the person gave it. `advance`: an answer moves on to the next step."""

    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    advance: bool = False


def of(user: User) -> Preferences:
    stored = user.preferences
    return Preferences(stored.get("keys", {}), bool(stored.get("advance", False)))


def keys_for(user: User, scheme: Scheme) -> Resolved:
    """The label page's keys for that person under that scheme."""
    return keys.resolve([*keys.PAGE, *scheme_keys.actions(scheme)], of(user).keys)


class Sheet(NamedTuple):
    """The keys a person has under one scheme, by group, as the list behind `?` shows them."""

    scheme: Scheme
    groups: Mapping[str, Sequence[Action]]


def sheets(user: User) -> list[Sheet]:
    """One a scheme the person meets."""
    return [Sheet(scheme, _grouped(keys_for(user, scheme).actions)) for scheme in schemes_of(user)]


def _grouped(actions: Sequence[Action]) -> dict[str, list[Action]]:
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.group, []).append(action)
    return groups


def schemes_of(user: User) -> list[Scheme]:
    """The schemes whose keys the person meets, or the usual one while they are in no project."""
    own = {project.scheme for project in Project.objects.visible_to(user).select_related("scheme")}
    found = {version.name: scheme_of(version) for version in sorted(own, key=lambda one: one.pk)}
    return list(found.values()) or [schemes.shipped()[DEFAULT]]


def change(user: User, *, own: Mapping[str, Sequence[str]], advance: bool) -> None:
    """Store the person's keys; those of actions not named here are the usual ones again. Raises Refused where a key is
    none, or two actions would share one."""
    actions = _actions(user)
    wanted = {name: tuple(given) for name, given in own.items() if name in actions}
    kept = {name: given for name, given in wanted.items() if given != actions[name].keys}
    if problems := _not_keys(wanted) or _collisions(user, kept):
        raise Refused(problems)
    user.preferences = user.preferences | {"keys": kept, "advance": advance}
    user.save(update_fields=["preferences"])


def _actions(user: User) -> dict[str, Action]:
    own = [action for scheme in schemes_of(user) for action in scheme_keys.actions(scheme)]
    return {action.name: action for action in (*keys.PAGE, *own)}


def _not_keys(wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    odd = {name: [key for key in given if not keys.is_key(key)] for name, given in wanted.items()}
    told = "A key is one character, a name such as ArrowDown, two in a row (g g), or either with Mod+ or Shift+."
    return {name: f"{' '.join(bad)} is no key. {told}" for name, bad in odd.items() if bad}


def _collisions(user: User, wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Of what the person chose. A usual key that is taken thereby gives way, unless it is an action's last."""
    problems: dict[str, str] = {}
    for scheme in schemes_of(user):
        found = keys.resolve([*keys.PAGE, *scheme_keys.actions(scheme)], wanted)
        for key, one, other in keys.collisions(found.actions):
            problems[one.name] = f"{key} is also “{other.title}”."
        titles = {action.name: action.title for action in found.actions}
        problems |= {
            name: f"“{titles[name]}” would be left without a key: another action has it." for name in found.without
        }
    return problems
