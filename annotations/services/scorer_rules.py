"""What an entry that is added to a deployment may hold: classes of a list, models from folders that are allowed,
servers without passwords. No class is loaded for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

SCORERS = "models_service.scorers"
KINDS = (
    "belief.confidence.AnswerConfidence",
    "belief.consensus.Consensus",
    "belief.dimensions.Dimensions",
    "belief.gains.GainReturns",
    "belief.gains.InformationGain",
    "belief.gains.InformationPotential",
    "belief.gains.OwnGain",
    "belief.hindsight.AnswerHindsight",
    "belief.hindsight.ReplyHindsight",
    "belief.hindsight.StepLikelihood",
    "belief.knowing.AnswerTrue",
    "belief.knowing.Knows",
    "belief.paths.PathFaithfulness",
    "belief.potential.StepPotential",
    "belief.ratios.PolicyRatio",
    "belief.segments.SegmentProgress",
    "belief.surprise.Surprise",
    "checks.arithmetic.Arithmetic",
    "checks.python_code.PythonSyntax",
    "checks.tool_arguments.ToolArguments",
    "engine.Engine",
    "evidence.retrieval.InformationDensity",
    "evidence.retrieval.Leakage",
    "evidence.retrieval.Sufficiency",
    "evidence.support.Support",
    "generative.scorer.GenerativeScorer",
    "progress.segments.ElapsedTime",
    "progress.segments.SegmentBudgets",
    "reference.coverage.EntityCoverage",
    "reference.coverage.HopCoverage",
    "reference.matching.MatchedCalls",
    "reference.spare.ReferenceAligned",
    "remote.engine.RemoteEngine",
    "sampled.backup.TreeBackup",
    "sampled.monte_carlo.MonteCarlo",
    "sampled.monte_carlo.RelativeProgress",
    "sampled.omega.FirstError",
    "sampled.scan.SelfDenoised",
)
BY_NAME = {path.rpartition(".")[2]: f"{SCORERS}.{path}" for path in KINDS}
FOLDERS = ("folder", "reference", "tokenizer")  # and "model", where no server stands beside it
SECRET = re.compile(r"(^|_)(api_?key|key|token|secret|password|authorization)$", re.IGNORECASE)
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(KEY|TOKEN)")
OWN = frozenset({"SECRET_KEY", "HF_TOKEN"})  # variables of the server's own, which no scorer's server is told


class EntryRefused(ValueError):
    """The entry may not be used. The message says what was found and what is accepted."""


def check(entry: Mapping[str, Any]) -> None:
    """EntryRefused where it holds what an added one may not."""
    if entry["class"] not in BY_NAME.values():
        raise EntryRefused(f"class: found {entry['class']!r}; accepted are {', '.join(sorted(BY_NAME))}")
    if not isinstance(entry["options"], Mapping):
        raise EntryRefused(f"options: found {type(entry['options']).__name__}; accepted is a JSON object")
    for part in _parts(entry["options"]):
        for key, value in part.items():
            _check(key, value, beside_server="server" in part)
    if entry.get("price") is not None:
        _check_price(entry["price"])


def check_server(entry: Mapping[str, Any]) -> None:
    """Refuse an address with a password, and a key that is no variable's name."""
    for key, value in entry.items():
        _check(key, value, beside_server=True)


def _parts(options: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The options and all that lie in them."""
    yield options
    for value in options.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield from _parts(one)


def _check(key: str, value: Any, *, beside_server: bool) -> None:
    if key == "key_env":
        _check_variable(value)
    elif SECRET.search(key):
        raise EntryRefused(
            f"{key}: no secret is kept here; key_env names the variable of the environment that holds it"
        )
    if key == "server":
        _check_address(str(value))
    elif key in FOLDERS or (key == "model" and not beside_server):
        if isinstance(value, str) and value:
            _check_folder(key, value)
    elif isinstance(value, str) and _is_path(value):
        _check_folder(key, value)


def _check_variable(name: Any) -> None:
    if name and (not VARIABLE.fullmatch(str(name)) or name in OWN):
        raise EntryRefused(
            f"key_env: found {name!r}; accepted is the name of a variable that ends in _KEY or _TOKEN, but not "
            f"{' or '.join(sorted(OWN))}"
        )


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise EntryRefused("server: accepted is http://host:port/v1 or https://…, without name, password and query")


def _is_path(text: str) -> bool:
    """Whether it names a place of the file system, and not a model, a prompt or a pattern."""
    if "\x00" in text or len(text) > 1000:
        return False
    return text.startswith(("/", "~", "./", "../")) or Path(text).exists()


def _check_folder(key: str, folder: str) -> None:
    allowed = [Path(one).resolve() for one in settings.MODELS_DIRS]
    found = Path(folder).expanduser()
    if not found.is_absolute() or not any(found.resolve().is_relative_to(one) for one in allowed):
        among = ", ".join(map(str, allowed)) or "none: MODELS_DIRS is empty"
        raise EntryRefused(f"{key}: found {folder!r}; accepted are whole paths in the folders of MODELS_DIRS ({among})")


def _check_price(price: Any) -> None:
    whole = isinstance(price, Mapping) and all(
        isinstance(price.get(name), int) and price[name] >= 0 for name in ("prompt", "completion")
    )
    if not whole or not price.get("currency"):
        raise EntryRefused(
            'price: accepted is {"prompt": 3000000, "completion": 15000000, "currency": "USD", "version": "2026-11"}: '
            "of a million tokens, in millionths of the currency"
        )
