"""`python -m bench.million`: lists, totals, searches and reports over many requests, beside the same over few.

Each figure is the median of several warm answers of the product's own queries. `ratio` is the time with many requests
to that with few, for pages of the same number of lines. `!` marks a plan that reads a growing table from end to end.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.million.asking import Kind, Question, narrowed, questions
from bench.million.filling import fill
from bench.million.lives import City, play
from fixline.store.store import Store
from tests.support.databases import Postgres
from tests.support.plans import plans, read_whole

PAGE = 50
ROUNDS = 9
LONG_SECONDS = 0.5
WANTED = 3.0
KINDS: dict[Kind, str] = {"page": "pages", "totals": "totals", "report": "reports of a year"}


@dataclass(frozen=True)
class Answer:
    """One question's answer: how many lines, how many milliseconds, from which plan."""

    lines: int
    ms: float
    plan: Sequence[str]


def ask(store: Store, question: Question, limit: int) -> Answer:
    """The median time of an answer, which takes its transaction with it."""

    def once() -> tuple[int, float]:
        began = time.perf_counter()
        lines = store.read(lambda session: question.ask(session, limit))
        return lines, time.perf_counter() - began

    lines, first = once()
    times = [once()[1] for _ in range(3 if first > LONG_SECONDS else ROUNDS)]
    plan = plans(store, lambda session: question.ask(session, limit))
    return Answer(lines, statistics.median(times) * 1000, plan)


def compare(few: Store, many: Store, city: City) -> Iterator[tuple[Question, Answer, Answer]]:
    """Each question with its two answers; a page has as many lines in both."""
    by = narrowed(few, city.now)
    for small, large in zip(questions(few, city.now, by), questions(many, city.now, by), strict=True):
        one = ask(few, small, PAGE)
        other = ask(many, large, min(PAGE, max(1, one.lines)) if small.kind == "page" else PAGE)
        yield small, one, other


def table(database: str, answers: Sequence[tuple[Question, Answer, Answer]], *, full: bool) -> None:
    """Print the figures and, after them, the plans."""
    for kind, heading in KINDS.items():
        print(f"\n{database}: {heading:<36}{'few':>10}{'many':>12}{'ratio':>8}{'lines':>8}")
        for question, one, other in answers:
            if question.kind == kind:
                ratio = other.ms / one.ms
                marks = (" > 3" if kind == "page" and ratio > WANTED else "") + (" !" if read_whole(other.plan) else "")
                print(f"  {question.name:<44}{one.ms:8.2f} ms{other.ms:9.2f} ms{ratio:8.1f}{other.lines:8}{marks}")
    print(f"\n{database}: plans with many requests")
    for question, _, other in answers:
        if full or question.kind != "report" or read_whole(other.plan):
            print(f"  {question.name} ({question.kind})")
            for line in other.plan:
                print(f"    {'!' if line in read_whole([line]) else ' '} {line}")


@contextmanager
def stores(database: str, folder: Path) -> Iterator[Callable[[str], Store]]:
    """What gives new, empty stores under names; the server, where there is one, ends with the block."""
    if database == "sqlite":
        yield lambda name: Store(f"sqlite:///{folder / name}.db")
        return
    server = Postgres(folder / "postgres")
    try:
        yield lambda _name: Store(server.new_database())
    finally:
        server.remove()


def run(database: str, city: City, count: int, small: int, open_share: float, *, full: bool) -> None:
    """Fill both sizes of one database, ask, print; nothing is left."""
    with tempfile.TemporaryDirectory(prefix="fixline-million-") as folder:
        Path(folder).chmod(0o755)  # the server of PostgreSQL is another user's
        with stores(database, Path(folder)) as new:
            few, many = new("few"), new("many")
            fill(few, city, small, open_share)
            fill(many, city, count, open_share)
            answers = []
            for question, one, other in compare(few, many, city):
                print(f"  {question.kind:8}{question.name:<48}{one.ms:9.2f}{other.ms:11.2f} ms", flush=True)
                answers.append((question, one, other))
            table(database, answers, full=full)
            few.close()
            many.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="requests of the large store")
    parser.add_argument("--small", type=int, default=10_000, help="requests of the small one")
    parser.add_argument("--open-share", type=float, default=0.1, help="how many of them are open")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--all-plans", action="store_true", help="print the plans of all reports, too")
    arguments = parser.parse_args()
    city = play()
    print(f"{arguments.count:,} requests beside {arguments.small:,}; {arguments.open_share:.0%} of them open")
    for database in ("sqlite", "postgres") if arguments.database == "both" else (arguments.database,):
        run(database, city, arguments.count, arguments.small, arguments.open_share, full=arguments.all_plans)


if __name__ == "__main__":
    main()
