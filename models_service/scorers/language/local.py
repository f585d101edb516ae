"""A language model in a local folder, asked on this machine: a LanguageModel for scorers that need no server.

Texts of prompts never become control tokens: in messages every added token that a text spells out is broken by a
space; openings and forced texts keep their characters, and special tokens spelled out in them are read as plain text.

The boundary of a forced text: it is tokenised by itself and its tokens are set behind those of the prompt. So they
depend on that text alone and are the same behind every prompt; a space that is to stand between belongs to its
beginning (" Yes"). Tokenizers that would put a space of their own before it are kept from that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from models_service.scorers.base import CannotScore
from models_service.scorers.batches import batches, plan
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.language.asked import Completion, Prompt, Sampling, Token
from models_service.scorers.language.causal import Causal
from models_service.scorers.language.drawing import Draft, Words, picked
from models_service.scorers.rendering import Rendered, neutral
from models_service.scorers.running import SAVED
from models_service.scorers.trunk import tokenizer

logger = logging.getLogger(__name__)

AT_ONCE = {"cuda": 32768, "cpu": 4096}  # tokens of one batch, those that are drawn included
ANCHOR = "\n"  # a text is tokenised behind it where the tokenizer puts a space before what stands first
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Job:
    """One row of a batch: the place of its prompt, the number of its text, its ids, and where those begin that are
    forced. `length` is what it may come to."""

    place: int
    number: int
    ids: list[int]
    start: int
    length: int


class LocalModel:
    """The folder `model` holds config.json, a tokenizer and safetensors weights; none of its code is run. `max_tokens`
    (by default what it was made for) bounds prompt and answer together, `batch_tokens` what is run at once; it is
    halved, for good, where the device has no memory for it. In bfloat16, unlike float32, company in a batch may change
    the last digits of log-probabilities, and so now and then a drawn token."""

    def __init__(
        self,
        model: str,
        *,
        max_tokens: int | None = None,
        batch_tokens: int | None = None,
        device: str = "",
        dtype: str = "auto",
    ) -> None:
        self.checkpoint = Checkpoint(model)
        self.tokenizer = tokenizer(self.checkpoint)
        self.causal = Causal(self.checkpoint, device, dtype)
        self.words = Words(self.tokenizer)
        limit = max_tokens or self.causal.limit
        if not limit:
            raise UnfitModel("max_tokens: the model does not say how much it reads; it must be given")
        self.max_tokens = limit
        self.batch_tokens = batch_tokens or AT_ONCE.get(self.causal.device.type, AT_ONCE["cpu"])
        own = self.tokenizer.eos_token_id
        self.ends = self.causal.ends | ({own} if own is not None else set())
        self.reserved = frozenset([*self.tokenizer.get_added_vocab(), *self.tokenizer.all_special_tokens])
        self._asked = {"calls": 0.0, "prompt_tokens": 0.0, "completion_tokens": 0.0}

    @property
    def provenance(self) -> dict[str, Any]:
        import torch
        import transformers

        gpu = self.causal.device.type == "cuda"
        return {
            "models": [{"name": self.checkpoint.name, "sha256": self.checkpoint.fingerprint}],
            "max_tokens": self.max_tokens,
            "device": torch.cuda.get_device_name(self.causal.device) if gpu else "CPU",
            "dtype": str(self.causal.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    @property
    def usage(self) -> dict[str, float]:
        """A call is one prompt; forced tokens count as read."""
        return dict(self._asked)

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[tuple[Completion, ...] | CannotScore]:
        refused: dict[int, CannotScore] = {}
        jobs: list[Job] = []
        for place, prompt in enumerate(prompts):
            try:
                ids = self._fit(self.ids(prompt), sampling.most)
            except CannotScore as no:
                refused[place] = no
                continue
            self._count(1, len(ids))
            jobs += [Job(place, n, ids, len(ids), len(ids) + sampling.most) for n in range(sampling.count)]
        said: dict[int, dict[int, Completion]] = {}
        lengths = [job.length for job in jobs]
        todo = [([jobs[at] for at in one], 0) for one in batches(lengths, self.batch_tokens)]
        for job, draft in self._run(todo, lambda some, _: self._drawn(some, sampling)):
            if isinstance(draft, CannotScore):
                refused[job.place] = draft
                continue
            self._count(0, 0, len(draft.ids))
            said.setdefault(job.place, {})[job.number] = draft.completion()
        return [
            refused[at] if at in refused else tuple(said[at][n] for n in range(sampling.count))
            for at in range(len(prompts))
        ]

    def forced(self, pairs: Sequence[tuple[Prompt, str]]) -> list[tuple[Token, ...] | CannotScore]:
        found: dict[int, tuple[Token, ...] | CannotScore] = {}
        jobs: list[Job] = []
        for place, (prompt, text) in enumerate(pairs):
            try:
                before, after = self.ids(prompt), self.encode(text)
                ids = self._fit(before + after, 0)
            except CannotScore as no:
                found[place] = no
                continue
            self._count(1, len(ids))
            if after:
                jobs.append(Job(place, 0, ids, len(before), len(ids)))
            else:
                found[place] = ()
        for job, values in self._run(self._planned(jobs), self._given):
            found[job.place] = values if isinstance(values, CannotScore) else self._tokens(job, values)
        return [found[place] for place in range(len(pairs))]

    def ids(self, prompt: Prompt) -> list[int]:
        """What the model reads. CannotScore where that is nothing, or the template does not take such a conversation.
        Without messages the tokenizer's own first token stands before the opening."""
        if prompt.messages:
            found = self._chat(prompt) + self.encode(prompt.opening)
        else:
            found = self.tokenizer(prompt.opening, split_special_tokens=True, verbose=False)["input_ids"]
            while found and found[-1] == self.tokenizer.eos_token_id and len(found) > 1:
                found = found[:-1]  # some tokenizers end a text at once
        if not found:
            raise CannotScore("there is nothing to read before the answer")
        return list(found)

    def encode(self, text: str) -> list[int]:
        """A text that stands behind another: its tokens, whatever that other is."""
        if not text:
            return []
        plain = self._plain(text)
        if not self.tokenizer.convert_ids_to_tokens(plain[:1])[0].startswith("▁") or text.startswith("▁"):
            return plain
        anchor, behind = self._plain(ANCHOR), self._plain(ANCHOR + text)
        return behind[len(anchor) :] if behind[: len(anchor)] == anchor else plain

    def _plain(self, text: str) -> list[int]:
        found = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        return list(found)

    def _chat(self, prompt: Prompt) -> list[int]:
        if not self.tokenizer.chat_template:
            raise UnfitModel(f"{self.checkpoint.folder}: its tokenizer has no chat template, which messages need")
        messages = [{**one, "content": neutral(one["content"], self.reserved)} for one in prompt.messages]
        from jinja2 import TemplateError

        try:
            ids: list[int] = self.tokenizer.apply_chat_template(
                messages, tokenize=True, add_generation_prompt=True, return_dict=False
            )
        except TemplateError as exc:
            raise CannotScore(f"the model's chat template does not take this conversation: {exc}") from exc
        return ids

    def _fit(self, ids: list[int], more: int) -> list[int]:
        if len(ids) + more > self.max_tokens:
            told = f"the prompt takes {len(ids)} tokens" + (f" and the answer up to {more}" if more else "")
            raise CannotScore(f"{told}, the model reads {self.max_tokens}")
        if max(ids) >= (known := self.causal.weight.shape[0]):
            raise CannotScore(f"the tokenizer makes token {max(ids)}, the model has {known}: it is another model's")
        return ids

    def _count(self, calls: int, read: int, written: int = 0) -> None:
        for name, more in zip(self._asked, (calls, read, written), strict=True):
            self._asked[name] += more

    def _planned(self, jobs: list[Job]) -> list[tuple[list[Job], int]]:
        """Batches of forced texts. A prompt that several stand behind is run once, where that pays."""
        items = [Rendered(job.ids, [len(job.ids) - 1], job.start) for job in jobs]
        prompts = [tuple(job.ids[: job.start]) for job in jobs]
        saved = SAVED.get(self.causal.device.type, SAVED["cpu"])
        planned = plan(items, self.batch_tokens, prompts, saved=saved)
        return [([jobs[at] for at in batch.places], batch.shared) for batch in planned]

    def _run(
        self, todo: list[tuple[list[Job], int]], work: Callable[[list[Job], int], list[Answer]]
    ) -> Iterator[tuple[Job, Answer | CannotScore]]:
        """All batches, each with the number of tokens that its rows begin with alike; one that the device has no memory
        for in its halves."""
        import torch

        while todo:
            some, shared = todo.pop(0)
            try:
                with torch.inference_mode():
                    found = work(some, shared)
            except torch.OutOfMemoryError:
                if len(some) == 1:
                    yield some[0], CannotScore(f"out of memory at {some[0].length} tokens")
                    continue
                self.batch_tokens = max(1, self.batch_tokens // 2)
                logger.warning("out of memory: batches are of %s tokens from here on", self.batch_tokens)
                half = len(some) // 2
                todo = [(some[:half], shared), (some[half:], shared), *todo]
                continue
            yield from zip(some, found, strict=True)

    def _given(self, jobs: list[Job], shared: int) -> list[list[float]]:
        return self.causal.given([job.ids for job in jobs], [job.start for job in jobs], shared)

    def _tokens(self, job: Job, values: Sequence[float]) -> tuple[Token, ...]:
        own = job.ids[job.start :]
        read = [self.words.added(own[: at + 1]) for at in range(len(own))]
        return tuple(Token(text, value) for text, value in zip(read, values, strict=True))

    def _drawn(self, jobs: list[Job], sampling: Sampling) -> list[Draft]:
        """A text for each job. What several of them begin with is run once; those that are done leave the batch."""
        drafts = [Draft(self.words, job.ids, job.number, sampling) for job in jobs]
        first = {job.place: job.ids for job in jobs}
        order = list(first)
        cache, mask, logits = self.causal.begin(list(first.values()))
        rows = [order.index(job.place) for job in jobs]
        cache.batch_select_indices(self._index(rows))
        mask, logits, left = mask[rows], logits[rows], drafts
        while True:
            chosen = self._next(left, logits, sampling)
            kept = [at for at, draft in enumerate(left) if not draft.done]
            if not kept:
                return drafts
            if len(kept) < len(left):
                cache.batch_select_indices(self._index(kept))
                mask, left = mask[kept], [left[at] for at in kept]
            mask = self._longer(mask)
            logits = self.causal.go_on([chosen[at] for at in kept], cache, mask)

    def _next(self, drafts: Sequence[Draft], logits: Any, sampling: Sampling) -> list[int]:
        """Adds a token to each draft: which ones."""
        chosen = picked(logits, [draft.random.random() for draft in drafts], sampling)
        values: list[float] = [0.0] * len(drafts)
        tops: list[list[tuple[int, float]]] = [[] for _ in drafts]
        if sampling.top:
            found = logits.log_softmax(-1)
            values = found.gather(1, self._index(chosen)[:, None])[:, 0].tolist()
            best = found.topk(min(sampling.top, found.shape[-1]))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            tops = [list(zip(ids, logs, strict=True)) for ids, logs in pairs]
        for draft, token, value, top in zip(drafts, chosen, values, tops, strict=True):
            draft.add(token, self.ends, value, top)
        return chosen

    def _index(self, places: Sequence[int]) -> Any:
        import torch

        return torch.tensor(places, device=self.causal.device)

    def _longer(self, mask: Any) -> Any:
        import torch

        return torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
