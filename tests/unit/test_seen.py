"""What an import has met is found again."""

from __future__ import annotations

from annotations.services.seen import Seen


def test_what_was_met_is_found_again_and_the_last_word_counts() -> None:
    seen = Seen()
    assert seen.get(b"a") is None
    seen[b"a"] = b"\x00first"
    seen[b"a"] = b"\x00second"
    assert (seen.get(b"a"), seen.get(b"b")) == (b"\x00second", None)


def test_two_imports_do_not_see_each_other() -> None:
    one, other = Seen(), Seen()
    one[b"a"] = b"1"
    assert other.get(b"a") is None
