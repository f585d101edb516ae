"""The language model that a scorer's options ask for: of a server, or of a local folder."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.language.asked import LanguageModel


def language_model(options: Mapping[str, Any]) -> LanguageModel:
    """{"server": "http://host:8000/v1", "model": "name", …} is language.remote.RemoteModel with these options,
    {"folder": "/models/x", …} language.local.LocalModel. UnfitModel says what was found and what is accepted."""
    if not isinstance(options, Mapping) or ("server" in options) == ("folder" in options):
        found = ", ".join(sorted(map(str, options))) if isinstance(options, Mapping) else repr(options)
        raise UnfitModel(
            f"language model: found {found or 'nothing'}; accepted is either server with model, or folder, with options"
        )
    given = dict(options)
    kind, first = _kind(remote="server" in given), given.pop("server", None) or given.pop("folder", None)
    try:
        inspect.signature(kind).bind(first, **given)
    except TypeError as exc:
        _, *accepted = inspect.signature(kind).parameters
        raise UnfitModel(
            f"language model: {exc}; found {', '.join(sorted(options))}; accepted beside the first are "
            f"{', '.join(accepted)}"
        ) from exc
    made: LanguageModel = kind(first, **given)
    return made


def _kind(*, remote: bool) -> Any:
    """Imported only when asked for: one needs the openai SDK, the other torch."""
    if remote:
        from models_service.scorers.language.remote import RemoteModel

        return RemoteModel
    from models_service.scorers.language.local import LocalModel

    return LocalModel
