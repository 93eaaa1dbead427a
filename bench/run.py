"""`make bench`: measure everything and print it as one table.

    python -m bench.run [--pairs 8] [--quick] [--only http,purge] [--markdown] [--json FILE]

docs/explanation/performance.md says what each row is.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.beside import peers_rows
from bench.busy import busy_rows
from bench.cluster import cluster_rows
from bench.deaths import death_rows
from bench.durable import durable_rows
from bench.figures import Row, Skipped, table, to_json
from bench.footprint import footprint_rows
from bench.http_load import http_rows
from bench.inside import inside_rows
from bench.installation import require_program
from bench.loading import services_rows
from bench.million import million_rows
from bench.pages import admin_rows
from bench.purge import purge_rows
from bench.wake import wake_rows

__all__ = ["main"]

RESULTS = Path(__file__).parent / "results" / "latest.json"
Suite = Callable[[argparse.Namespace], list[Row]]


def http(options: argparse.Namespace) -> list[Row]:
    """Requests over HTTP."""
    wrk = require_program("wrk", install=not options.quick)
    return http_rows(wrk, pairs=options.pairs, quick=options.quick)


def inside(options: argparse.Namespace) -> list[Row]:
    """Inside one server."""
    return inside_rows(pairs=options.pairs, quick=options.quick)


def services(options: argparse.Namespace) -> list[Row]:
    """A thousand services, and what hooks and declarations cost."""
    return services_rows(pairs=options.pairs, quick=options.quick)


def durable(options: argparse.Namespace) -> list[Row]:
    """Durable calls, and peers."""
    return durable_rows(pairs=options.pairs, quick=options.quick)


def wake(options: argparse.Namespace) -> list[Row]:
    """From one worker process to another."""
    return wake_rows(pairs=options.pairs, quick=options.quick)


def busy(options: argparse.Namespace) -> list[Row]:
    """Accepting while every worker is busy."""
    wrk = require_program("wrk", install=not options.quick)
    return busy_rows(wrk, pairs=options.pairs, quick=options.quick)


def purge(options: argparse.Namespace) -> list[Row]:
    """Requests beside the deletion of old records."""
    wrk = require_program("wrk", install=not options.quick)
    return purge_rows(wrk, pairs=options.pairs, quick=options.quick)


def million(options: argparse.Namespace) -> list[Row]:
    """A file in which a million calls wait."""
    return million_rows(pairs=options.pairs, quick=options.quick)


def kill(options: argparse.Namespace) -> list[Row]:
    """Processes that are killed."""
    return death_rows(pairs=options.pairs, quick=options.quick)


def cluster(options: argparse.Namespace) -> list[Row]:
    """Servers that share a Redis."""
    return cluster_rows(pairs=options.pairs, quick=options.quick)


def peers(options: argparse.Namespace) -> list[Row]:
    """Celery, dramatiq and taskiq beside us, all with a Redis."""
    return peers_rows(pairs=options.pairs, quick=options.quick)


def footprint(options: argparse.Namespace) -> list[Row]:
    """Start, memory, client."""
    return footprint_rows(pairs=options.pairs, quick=options.quick)


def admin(options: argparse.Namespace) -> list[Row]:
    """The web admin."""
    return admin_rows(pairs=options.pairs, quick=options.quick)


SUITES: Mapping[str, Suite] = {
    suite.__name__: suite
    for suite in (http, inside, services, durable, wake, busy, purge, million, kill, cluster, peers, footprint, admin)
}


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and return the exit code: 0 even if a target was not reached."""
    options = _parser().parse_args(arguments)
    if options.quick:
        options.pairs = 1
    rows = []
    for name in options.only:
        print(f"Measuring {name} ...", file=sys.stderr)
        rows += _measured(name, options)
    print(f"{_machine()}; {options.pairs} interleaved pairs\n")
    print(table(rows, markdown=options.markdown))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(to_json(rows, {"machine": _machine(), "pairs": options.pairs, "quick": options.quick}))
    return 0


def _measured(name: str, options: argparse.Namespace) -> list[Row]:
    try:
        return SUITES[name](options)
    except Skipped as reason:
        return [Row(name=name, ours=f"skipped: {reason}")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure, and print ratios.")
    parser.add_argument("--pairs", type=_positive, default=8, help="interleaved pairs to take medians of (default 8)")
    parser.add_argument(
        "--quick", action="store_true", help="one short pair, installs nothing: only shows that it works"
    )
    parser.add_argument("--only", type=_names, default=list(SUITES), help=f"some of {','.join(SUITES)}")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the results go as JSON")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number from 1")
    return number


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SUITES:
            raise argparse.ArgumentTypeError(f"there is no suite {name!r}; known: {', '.join(SUITES)}")
    return names


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
