"""The spans of a field with the texts they stand in, for agreement over characters."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models.functions import Length

from annotations.models import Step
from annotations.records import Json
from annotations.rendering import parts as texts
from annotations.schemes.fields import SpansField
from annotations.services.agreement_rows import Passes, Said
from annotations.services.agreement_silence import Silence
from annotations.tables import SpanTable, TableRater

AT_ONCE = 5_000  # steps that one query names
PLAIN = ("message", "reasoning")  # texts whose length the database knows
ARRAYS = (
    "text_task", "text_length", "reader_rater", "reader_text",
    "span_rater", "span_text", "span_start", "span_end", "span_type",
)  # fmt: skip


def table(spec: SpansField, passes: Passes, silence: Silence) -> tuple[SpanTable, int]:
    """The texts that two raters or more looked at with what they marked, and how many labels are no answer any more."""
    readers = _readers(spec, passes, silence)
    tasks = {step: passes.task_of[passes.steps[step].trajectory] for step in readers}
    lengths = _lengths([step for step, raters in readers.items() if len(raters) > 1], spec.parts)
    columns = {name: array("i") for name in ARRAYS}
    numbers: dict[tuple[int, str], int] = {}
    for step, by_part in lengths.items():
        for part, length in by_part.items():
            numbers[step, part] = number = len(numbers)
            _append(columns, text_task=tasks[step], text_length=length)
            for rater in sorted(readers[step]):
                _append(columns, reader_rater=rater, reader_text=number)
    left_out = _spans(spec, passes, numbers, columns)
    return SpanTable(types=spec.values, **columns), left_out


def lines(of: SpanTable, raters: Sequence[TableRater]) -> Iterator[str]:
    """What was said, a line each, for a fingerprint."""
    for rater, text in zip(of.reader_rater, of.reader_text, strict=True):
        yield f"{raters[rater].kind}\t{raters[rater].name}\t{text}\t{of.text_length[text]}"
    spans = zip(of.span_rater, of.span_text, of.span_start, of.span_end, of.span_type, strict=True)
    for rater, text, start, end, kind in spans:
        yield f"{raters[rater].kind}\t{raters[rater].name}\t{text}\t{start}\t{end}\t{json.dumps(of.types[kind])}"


def _readers(spec: SpansField, passes: Passes, silence: Silence) -> dict[int, set[int]]:
    """Step → who looked at it: who marked something, and who was asked and marked nothing. Not who said what the scheme
    of now does not take: what they would say now nobody knows."""
    found: dict[int, set[int]] = defaultdict(set)
    for asked in silence.places(spec):
        if asked.step is not None:
            found[asked.step].add(asked.rater)
    for label, taken in _labels(spec, passes):
        readers = found[label.place[1]]
        (readers.add if taken else readers.discard)(label.rater)
    return {step: found[step] for step in passes.steps if step in found}


def _labels(spec: SpansField, passes: Passes) -> Iterator[tuple[Said, bool]]:
    """The field's labels, and whether the scheme of now takes them."""
    mine = (label for label in passes.labels() if label.spec.name == spec.name)
    return ((label, not spec.refusal(label.value)) for label in mine)


def _lengths(steps: Sequence[int], kinds: Iterable[str]) -> dict[int, dict[str, int]]:
    """The code points of each text of those kinds; texts that are empty are left out."""
    found: dict[int, dict[str, int]] = {}
    for start in range(0, len(steps), AT_ONCE):
        found |= _some_lengths(steps[start : start + AT_ONCE], set(kinds))
    return found


def _some_lengths(steps: Sequence[int], kinds: set[str]) -> dict[int, dict[str, int]]:
    wanted = Step.objects.filter(pk__in=steps).order_by("trajectory", "index")
    if kinds <= set(PLAIN):
        sizes = wanted.values_list("pk", Length("reasoning"), Length("message"))
        return {
            pk: {name: size for name, size in (("reasoning", thought), ("message", said)) if size and name in kinds}
            for pk, thought, said in sizes.iterator(chunk_size=10_000)
        }
    whole = wanted.only("message", "reasoning", "tool_calls", "observations")
    return {
        step.pk: {
            one.name: len(one.text) for one in texts.parts(step, pictures=False) if one.kind in kinds and one.text
        }
        for step in whole.iterator(chunk_size=200)
    }


def _spans(
    spec: SpansField, passes: Passes, numbers: Mapping[tuple[int, str], int], columns: Mapping[str, array[int]]
) -> int:
    """Write down what was marked in those texts. Returns how many labels the scheme of now does not take."""
    types: dict[Json, int] = {value: place for place, value in enumerate(spec.values)}
    left_out = 0
    for label, taken in _labels(spec, passes):
        left_out += not taken
        for one in spec.units(label.value) if taken else ():
            number = numbers.get((label.place[1], one.name))
            if number is not None:
                start, end = one.extra["start"], one.extra["end"]
                _append(columns, span_rater=label.rater, span_text=number, span_start=start, span_end=end)
                _append(columns, span_type=types[one.value])
    return left_out


def _append(columns: Mapping[str, array[int]], **row: int) -> None:
    for name, value in row.items():
        columns[name].append(value)
