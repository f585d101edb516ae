"""Where the sentences of a text stand."""

from __future__ import annotations

import sentencex  # type: ignore[import-untyped]


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence in code points, without the blanks around it; a text of blanks has none."""
    found = []
    for one in sentencex.get_sentence_boundaries("en", text):
        said = text[one["start_index"] : one["end_index"]]
        start = one["start_index"] + len(said) - len(said.lstrip())
        if said.strip():
            found.append((start, start + len(said.strip())))
    return found
