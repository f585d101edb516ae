"""A process reward model that a server holds, scored as a local one is: our renderings go there as token ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.base import Scored
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.families import SERVED, made
from models_service.scorers.families.base import Family
from models_service.scorers.fitting import Fitted
from models_service.scorers.marked import MarkedScorer, Prepared
from models_service.scorers.remote import protocols
from models_service.scorers.remote.protocols import Asked, Read
from models_service.scorers.remote.server import Server
from models_service.scorers.running import Rows

PROTOCOLS: dict[str, Read] = {
    "vllm-pooling": protocols.pooling,
    "vllm-generative": protocols.generative,
    "sglang-score": protocols.sglang_score,
    "sglang-classify": protocols.sglang_classify,
    "completions": protocols.completions,
}
CLASSIFIERS = frozenset(["trl", "pure", "qwen-prm", "reason-flux"])  # whose heads vLLM runs and squashes


class RemoteEngine(MarkedScorer):
    """Scores of a served process reward model.

    `server` is an address ending in /v1, `model` the name it is served by, `protocol` one of PROTOCOLS, `family` one of
    families.FAMILIES or SERVED with `options` of its own, `tokenizer` a local folder with the model's tokenizer: texts
    are made tokens here, and the server is sent ids. More than `max_tokens` (by default what the server says it takes)
    are never sent at once. `key_env`, `timeout`, `retries` and `requests` are remote.server.Server's. A server that is
    away raises ServerFault.
    """

    at_once = 32

    def __init__(
        self,
        server: str,
        model: str,
        family: str,
        protocol: str,
        tokenizer: str,
        *,
        max_tokens: int | None = None,
        calibrated: bool = False,
        key_env: str = "",
        timeout: float = 300.0,
        retries: int = 4,
        requests: int = 8,
        **options: Any,
    ) -> None:
        if protocol not in PROTOCOLS:
            raise UnfitModel(f"protocol: found {protocol!r}; accepted are {', '.join(PROTOCOLS)}")
        self.family = made(family, local_tokenizer(tokenizer), **options)
        _fits(self.family, protocol)
        self.protocol, self.model, self.tokenizer = protocol, model, Path(tokenizer)
        self.server = Server(server, key_env=key_env, timeout=timeout, retries=retries, requests=requests)
        self.told = self.server.model(model)
        self.version = self.server.version()
        self.max_tokens = max_tokens or self._limit()
        self.calibrated = calibrated and self.family.probability

    def _limit(self) -> int:
        limit = self.told.get("max_model_len")
        if not isinstance(limit, int):
            raise UnfitModel("max_tokens: the server does not say how much the model reads; it must be given")
        return limit

    @property
    def provenance(self) -> dict[str, Any]:
        import transformers

        served = {"name": self.model, "tokenizer_sha256": _fingerprint(self.tokenizer)}
        served |= {"root": str(self.told["root"])} if self.told.get("root") else {}
        return {
            "family": self.family.name,
            "rendering": self.family.version,
            "models": [served],
            "max_tokens": self.max_tokens,
            "server": self.server.url,
            "server_version": self.version,
            "protocol": self.protocol,
            "transformers": transformers.__version__,
        }

    @property
    def usage(self) -> dict[str, float]:
        return dict(self.server.usage)

    def score(self, records: Sequence[TrajectoryRecord], prepared: Prepared | None = None) -> list[Scored]:
        prepared = prepared or self.prepare(records)
        return self.finished(len(records), prepared, self.server.each(self._read, [one for _, one in prepared[0]]))

    def _read(self, one: Fitted) -> list[Rows]:
        asked = Asked(self.server, self.model, self.family, one.rendered, len(one.places))
        return [PROTOCOLS[self.protocol](asked)]


def local_tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer

    if not Path(folder).is_dir():
        raise UnfitModel(f"tokenizer: no folder {folder}")
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as exc:
        raise UnfitModel(f"tokenizer: {folder} holds none that can be loaded ({exc})") from exc


def _fits(family: Family, protocol: str) -> None:
    """UnfitModel where the protocol cannot read what the family reads, with the ones that can."""
    able = {
        "vllm-pooling": family.name in CLASSIFIERS,
        "sglang-classify": family.name in SERVED,
        "vllm-generative": len(family.labels) == 2,
        "sglang-score": len(family.labels) == 2,
        "completions": len(family.labels) == 2,
    }
    if able[protocol]:
        return
    others = [one for one in PROTOCOLS if able[one]]
    if not others:
        raise UnfitModel(f"family: {family.name} is not read through a server; use the local engine")
    why = ": pooling looks labels up among hidden states, not among logits" if protocol == "vllm-pooling" else ""
    raise UnfitModel(f"protocol: {protocol} cannot read {family.name}{why}; accepted is {' or '.join(others)}")


def _fingerprint(folder: Path) -> str:
    """SHA-256 over the files that decide what token ids are made."""
    digest = hashlib.sha256()
    for path in sorted(one for end in ("*.json", "*.jinja", "*.model", "*.txt") for one in folder.glob(end)):
        digest.update(f"{path.name}:{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
