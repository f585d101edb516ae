"""Work in a process of its own on the database of the test, to be killed in the middle. Begun anew and not forked: a
fork keeps the locks that threads of this process hold, and waits for them for ever."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from django.db import connection

from tests.live.stacks import until


def work(database: dict[str, Any], what: str, given: tuple[Any, ...]) -> None:
    """In the new process: call the function of that dotted path."""
    import django
    from django.utils.module_loading import import_string

    django.setup()
    connection.settings_dict.update(database)
    import_string(what)(*given)


def kill_when(holds: Callable[[], Any], what: str, *given: Any) -> None:
    """Begin `what(*given)` elsewhere and kill it, by a signal that it cannot catch, as soon as `holds()`."""
    process = get_context("spawn").Process(target=work, args=(dict(connection.settings_dict), what, given), daemon=True)
    process.start()
    try:
        until(lambda: holds() or not process.is_alive(), seconds=120, what=what)
        assert process.is_alive(), f"{what} ended before it was killed"
    finally:
        process.kill()
        process.join()
