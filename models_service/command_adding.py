"""`scorers add`: from the words of a command line to a scorer's entry."""

from __future__ import annotations

import inspect
import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string

from annotations.services import scorer_rules
from models_service import deployable
from models_service.scorers.generative import VERIFIERS

LANGUAGE = ("server", "model", "tokenizer", "key_env")


def arguments(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="small letters, digits and hyphens; how runs name it")
    parser.add_argument("--title", default="", help="what people read; the name, where none is given")
    parser.add_argument(
        "--class", dest="kind", default="", metavar="CLASS", help=", ".join(sorted(scorer_rules.BY_NAME))
    )
    parser.add_argument("--family", default="", help="how a reward model or verifier is read; see docs/scorers.md")
    parser.add_argument("--model", default="", help="a folder in MODELS_DIRS, or beside --server a name there")
    parser.add_argument("--server", default="", metavar="URL", help="who serves the model: http://host:8000/v1")
    parser.add_argument("--protocol", default="", help="how a server is asked for a reward model's numbers")
    parser.add_argument("--tokenizer", default="", metavar="DIR", help="a folder in MODELS_DIRS")
    parser.add_argument("--key-env", default="", metavar="VARIABLE", help="the variable that holds the server's key")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="any other; the value as JSON, else as text"
    )
    parser.add_argument("--price", default="", metavar="JSON", help="of a million tokens, in millionths of a currency")


def entry(name: str, **given: Any) -> dict[str, Any]:
    """The entry that the words ask for, checked. CommandError says what is wrong with them."""
    options = dict(map(_option, given["option"]))
    path = _kind(given["kind"], given["family"], given["server"])
    parts = {key: given[key] for key in LANGUAGE if given[key]}
    if "language" in inspect.signature(import_string(path)).parameters:
        if parts:
            parts = parts if given["server"] else {("folder" if key == "model" else key): v for key, v in parts.items()}
            options["language"] = options.get("language", {}) | parts
    else:
        options |= parts
    options |= {key: given[key] for key in ("family", "protocol") if given[key]}
    made = {"title": given["title"] or name, "class": path, "options": options}
    made |= {"price": _json(given["price"], "--price")} if given["price"] else {}
    try:
        return dict(deployable.checked(made))
    except scorer_rules.EntryRefused as no:
        raise CommandError(str(no)) from no


def _kind(asked: str, family: str, server: str) -> str:
    if not asked and not family:
        raise CommandError("Say --family for a reward model or verifier, or --class for another scorer.")
    if not asked:
        asked = "GenerativeScorer" if family in VERIFIERS else "RemoteEngine" if server else "Engine"
    if asked in scorer_rules.BY_NAME.values():
        return asked
    if asked not in scorer_rules.BY_NAME:
        raise CommandError(f"--class: found {asked!r}; accepted are {', '.join(sorted(scorer_rules.BY_NAME))}")
    return scorer_rules.BY_NAME[asked]


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise CommandError(f"--option: found {text!r}; accepted is KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _json(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise CommandError(f"{option} is not JSON: {exc}") from exc
