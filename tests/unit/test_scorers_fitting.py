"""Long trajectories: what is left out is said, each step is judged once, nothing is longer than the model reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, agent_steps
from models_service.scorers.families.trl import TRL
from models_service.scorers.fitting import PROMPT, SHORTENED, WINDOWED, ends, fitted
from tests.unit.test_scorers_rendering import Letters, text

RENDER = TRL(Letters()).render


def record(*steps: tuple[str, str], prompt: str = "Do it.") -> TrajectoryRecord:
    """Steps as (message, observation)."""
    made = [StepRecord("user", 0, message=prompt)]
    for number, (said, saw) in enumerate(steps, 1):
        observed = ({"tool_call_id": "c", "content": saw},) if saw else ()
        made.append(StepRecord("agent", number, message=said, observations=observed))
    return TrajectoryRecord(TaskRecord("t"), tuple(made))


def test_what_fits_is_left_as_it_is() -> None:
    [one] = fitted(record(("a", "x" * 100), ("b", "")), RENDER, 500)
    assert (one.flags, one.window, one.places) == ((), None, (1, 2))


def test_old_observations_are_shortened_first_and_the_rest_is_whole() -> None:
    one = record(("first", "o" * 9000), ("second", "p" * 9000), ("last", "q" * 300))
    [found] = fitted(one, RENDER, 18_000)
    said = text(found.rendered.ids)
    assert found.flags == (SHORTENED,)
    assert "p" * 9000 in said and "q" * 300 in said
    assert "characters left out" in said and "first" in said
    assert len(found.rendered.ids) <= 18_000


def test_an_observation_keeps_its_two_ends() -> None:
    assert ends("abc", 5) == "abc"
    short = ends("begin" + "x" * 1000 + "close", 200)
    assert len(short) <= 200 and short.startswith("begin") and short.endswith("close")
    assert "810 characters left out" in short


def test_windows_overlap_and_name_what_they_read() -> None:
    one = record(*((f"step {number} says a few words of its own", "") for number in range(1, 31)))
    found = fitted(one, RENDER, 400)
    assert [place for part in found for place in part.places] == list(range(1, 31))
    for part in found[1:]:
        assert part.flags == (SHORTENED, WINDOWED)
        assert part.window is not None and part.window[0] < part.places[0] and part.window[1] == part.places[-1]
        assert "[Earlier steps, shortened]" in text(part.rendered.ids)


def test_a_prompt_that_leaves_no_room_is_shortened_and_that_is_said() -> None:
    [found] = fitted(record(("answer", ""), prompt="long " * 300), RENDER, 700)
    assert PROMPT in found.flags and len(found.rendered.ids) <= 700


def test_a_step_too_long_by_itself_is_named() -> None:
    with pytest.raises(CannotScore, match="step 2 alone takes 9"):
        fitted(record(("short", ""), ("x" * 900, "")), RENDER, 500)


steps = st.lists(
    st.tuples(st.text("ab", min_size=1, max_size=60), st.text("xyz", max_size=900)), min_size=1, max_size=25
)


@given(steps, st.integers(150, 3000))
def test_every_step_is_judged_once_and_nothing_is_too_long(said: list[tuple[str, str]], longest: int) -> None:
    one = record(*said)
    try:
        found = fitted(one, RENDER, longest)
    except CannotScore:
        assert any(len(words) + min(len(saw), 200) > longest // 2 for words, saw in said)
        return
    assert [place for part in found for place in part.places] == agent_steps(one)
    for part in found:
        assert len(part.rendered.ids) <= longest
        assert len(part.rendered.marks) >= len(part.places)
