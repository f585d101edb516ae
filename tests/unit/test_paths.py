from __future__ import annotations

from pathlib import Path

from app.stack import paths


def test_sockets_live_in_the_home():
    assert paths.run_dir(Path("/srv/stepmark")) == Path("/srv/stepmark/run")


def test_sockets_of_a_deep_home_live_in_a_short_folder():
    deep = Path("/srv") / ("x" * 120)
    assert len(str(paths.run_dir(deep) / ".s.PGSQL.5432")) < paths.LONGEST_SOCKET_PATH
    assert paths.run_dir(deep) != paths.run_dir(deep / "y")


def test_a_home_with_a_comma_has_its_sockets_elsewhere_because_libpq_splits_hosts_there():
    assert "," not in str(paths.run_dir(Path("/srv/a,b")))
