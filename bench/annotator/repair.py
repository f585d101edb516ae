"""The fewest presses that put right what is said wrongly, once a person has said something of every step: then nothing
is carried on any more, and each wrong step wants an answer of its own.

One goes left or right. On the way right no wrong step is passed over, for an answer takes no more than a move where it
moves on by itself, and has to be given anyway where it does not. On the way left steps are passed over only to come
back to them, where an answer would lead back to the right each time. (Of the rarest walks a press could be saved yet.)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from heapq import heappop, heappush
from itertools import count

from bench.annotator import desk as desks

Keys = tuple[str, ...]
Wrong = frozenset[int]
RIGHT, LEFT = 1, -1
At = tuple[int, Wrong, int]  # the focus, the steps that are wrong, and where one goes


@cache
def repair(last: int, focus: int, wrong: tuple[tuple[int, int], ...], advance: bool) -> Keys:
    """Keys for the wrong places, given as (place, gold), from that focus on. `last` is the last step."""
    values = dict(wrong)
    turn = count()
    ahead: list[tuple[int, int, int, At, Keys]] = [
        (0, next(turn), 0, (focus, Wrong(values), way), ()) for way in (RIGHT, LEFT)
    ]
    seen: set[At] = set()
    while ahead:
        _, _, cost, now, keys = heappop(ahead)
        left = now[1]
        if not left:
            return keys
        if now in seen:
            continue
        seen.add(now)
        for key, after in _presses(now, last, values, advance):
            spent = cost + desks.presses(key)
            heappush(ahead, (spent + _at_least(after, last, advance), -next(turn), spent, after, (*keys, key)))
    raise AssertionError("every step can be reached")


def _at_least(now: At, last: int, advance: bool) -> int:
    """An answer each, and a move to each that no answer leads to by itself."""
    at, left, _ = now
    return len(left) + sum(place not in (at, last) and not (advance and place - 1 in left) for place in left)


def _presses(now: At, last: int, values: dict[int, int], advance: bool) -> Iterator[tuple[str, At]]:
    at, left, way = now
    if at in left:
        still = left - {at}
        # With everything said, an answer that settles the rest does nothing more than go to the end.
        yield desks.SETTLE[values[at]], (last, still, LEFT)
        yield desks.SIGN[values[at]], _then(min(at + 1, last) if advance else at, still, way, advance)
    else:
        yield desks.LAST, (last, left, LEFT)
        yield desks.NEXT, (min(at + 1, last), left, RIGHT)
    if way == LEFT and (advance or at not in left):
        yield desks.PREVIOUS, (max(at - 1, 0), left, LEFT)
        yield desks.FIRST, (0, left, RIGHT)


def _then(at: int, left: Wrong, way: int, advance: bool) -> At:
    """Right as long as anything is wrong there."""
    is_right = any(place >= at for place in left)
    return at, left, RIGHT if is_right and (advance or way == RIGHT) else LEFT
