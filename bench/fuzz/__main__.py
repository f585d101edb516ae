"""Fuzzes one target after the other, each in a process of its own, for its share of the time."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.fuzz import seeds

ROOT = Path(__file__).resolve().parents[2]
LIMITS = ("-rss_limit_mb=1500", f"-max_len={seeds.LONGEST}", "-len_control=0", "-print_final_stats=1")
ENDED = re.compile(r"ERROR|Timeout|Error: ")
_runs = re.compile(r"(?:stat::number_of_executed_units: +|^#)(\d+)", re.MULTILINE)


@dataclass
class Tally:
    """What came of one target. `died`: why the process ended early: a hang, or memory."""

    name: str
    seconds: float = 0
    runs: int = 0
    died: list[str] = field(default_factory=list)


def main(words: list[str]) -> int:
    asked = _asked(words)
    names = asked.format or seeds.names()
    more = seeds.found(asked.seeds) if asked.seeds else {}
    tallies = [fuzzed(name, asked.seconds / len(names), asked.home, more.get(name, [])) for name in names]
    finds = sorted((asked.home / "finds").glob("*/*.txt"))
    print(f"{sum(one.seconds for one in tallies):.0f} seconds, {sum(one.runs for one in tallies):,} executions")
    for one in finds:
        print(f"find: {one}: {one.read_text().splitlines()[0]}")
    died = [f"{one.name}: {why}" for one in tallies for why in one.died]
    print(*died, sep="\n")
    return 1 if finds or died else 0


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz")
    parser.add_argument("--seconds", type=float, default=3600, help="in all, over all formats")
    parser.add_argument("--format", action="append", choices=seeds.names(), help="only these")
    parser.add_argument("--seeds", type=Path, help="a folder of files that are seeds too, each for its format")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "fuzz", help="where corpus and finds are kept")
    return parser.parse_args(words)


def fuzzed(name: str, seconds: float, home: Path, more: list[bytes]) -> Tally:
    """Fuzzes the target for so long; begins again where the process died, whose input it keeps."""
    tally, begun = Tally(name), time.monotonic()
    finds = home / "finds" / name
    finds.mkdir(parents=True, exist_ok=True)
    corpus = seeds.sown(name, home / "corpus" / name, more)
    while (left := seconds - tally.seconds) >= 1:
        ends = (f"-max_total_time={max(1, round(left))}", f"-artifact_prefix={finds}/", *LIMITS)
        command = [sys.executable, "-m", "bench.fuzz.reading", name, str(finds), str(corpus), *ends]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        (home / f"{name}.{len(tally.died)}.log").write_text(done.stderr[-20_000:])
        runs = max(map(int, _runs.findall(done.stderr)), default=0)
        tally.runs += runs
        tally.seconds = time.monotonic() - begun
        if done.returncode:
            tally.died.append(next(filter(ENDED.search, done.stderr.splitlines()), "it ended early"))
            if (finds / seeds.READ).exists():
                (finds / seeds.READ).rename(finds / f"died-{len(tally.died)}")
            if not runs:
                break  # it never began
    found = len(list(finds.glob("*.txt")))
    print(
        f"{name}: {tally.seconds:.0f} s, {tally.runs:,} executions, {found} finds, died {len(tally.died)}", flush=True
    )
    return tally


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
