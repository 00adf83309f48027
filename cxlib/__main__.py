"""The command line: ``cxlib run`` makes the report of a date; ``init``, ``check``, ``doctor`` and ``sample`` help to get there."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import cxlib
from cxlib.report.execute import THREAD
from cxlib.report.letters import DATA_REFUSED, DONE, ENVIRONMENT, USAGE, Refusal, Stopped

CODES = """exit codes: 0 published or up to date, 1 a notebook failed, 2 wrong use, 3 data refused,
4 environment (folder not writable, no kernel), 75 another run holds the folder, 130/143 stopped by a signal,
141 nobody read on"""


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; the answer is the exit code."""
    asked = _parser().parse_args(words)
    # papermill imports it for nothing we use, and it takes a second and a half.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _ended(_answered(asked))
    except BrokenPipeError:  # whoever read, such as head, has read enough; what is left has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _ended(128 + signal.SIGPIPE)


def _answered(asked: argparse.Namespace) -> int:
    try:
        code = {"check": _check, "doctor": _doctor, "init": _init, "run": _run, "sample": _sample}[asked.command](asked)
    except Refusal as refusal:
        code = refusal.code
        sys.stderr.write(f"cxlib {asked.command}: {_plain(refusal.letter)}\n")
        if getattr(asked, "json", False):
            print(json.dumps({"status": "refused", "code": code, "letter": refusal.letter}, ensure_ascii=False))
    except ModuleNotFoundError as missing:
        if (missing.name or "cxlib").partition(".")[0] == "cxlib":
            raise
        code = ENVIRONMENT
        sys.stderr.write(f"cxlib {asked.command}: the package '{missing.name}' is not installed here. cxlib doctor says what else is.\n")
    except Stopped as stop:
        code = stop.code
        sys.stderr.write(f"cxlib {asked.command}: stopped by {stop}.\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cxlib", description="Customer-experience reports that say how sure they are.", epilog=CODES)
    parser.add_argument("--version", action="version", version=f"cxlib {cxlib.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="make the report of a date", description="Make the report of a date.", epilog=CODES)
    run.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="path or name; by default all in notebooks/")
    run.add_argument("--as-of", required=True, metavar="DATE", help="last day counted, year-month-day")
    run.add_argument("--sources", metavar="FILE", help="the workbook (default: data/sources.toml)")
    run.add_argument("--to", metavar="DIR", help="folder of all reports (default: reports)")
    run.add_argument("--private", metavar="DIR", help="folder for rows set aside and failed attempts (default: data/private)")
    run.add_argument("-p", dest="given", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="set a notebook's parameter")
    run.add_argument("--jobs", type=_positive, metavar="N", help="notebooks at a time (default: one a core)")
    run.add_argument("--timeout", type=_positive, default=3600, metavar="SECONDS", help="most a notebook may take (default: 3600)")
    run.add_argument("--force", action="store_true", help="run although nothing changed")
    run.add_argument("--stale", action="store_true", help="accept data that end long before DATE")
    run.add_argument("--json", action="store_true", help="say on stdout what was done, as JSON")
    check = commands.add_parser("check", help="show what a workbook would read", epilog=CODES)
    check.add_argument("--sources", default="data/sources.toml", metavar="FILE", help="the workbook (default: data/sources.toml)")
    check.add_argument("--as-of", metavar="DATE", help="last day counted (default: everything counts)")
    doctor = commands.add_parser("doctor", help="look at everything a run needs, and say what to do", epilog=CODES)
    doctor.add_argument("--sources", metavar="FILE", help="the workbook (default: data/sources.toml)")
    doctor.add_argument("--to", metavar="DIR", help="folder of all reports (default: reports)")
    doctor.add_argument("--private", metavar="DIR", help="folder for rows set aside (default: data/private)")
    doctor.add_argument("--json", action="store_true", help="say it on stdout as JSON")
    init = commands.add_parser("init", help="draft a workbook from exports", epilog=CODES)
    init.add_argument("files", nargs="*", metavar="FILE", help="exports: CSV, Excel, JSON lines, XES, Parquet")
    init.add_argument("--to", metavar="FILE", help="write the draft there (default: print it)")
    init.add_argument("--template", metavar="NAME", help="the tool the exports come from (default: looked for)")
    init.add_argument("--templates", action="store_true", help="list the tools that are known")
    init.add_argument("--force", action="store_true", help="write over a file that is there")
    sample = commands.add_parser("sample", help="make a company whose truth is known", epilog=CODES)
    sample.add_argument("--to", required=True, metavar="DIR", help="folder for its files, sources.toml and truth.json")
    sample.add_argument("--customers", type=_positive, default=1500, metavar="N", help="how many (default: 1500)")
    sample.add_argument("--seed", type=int, default=12, metavar="S", help="names the company: the same seed, the same bytes (default: 12)")
    sample.add_argument(
        "--journeys",
        type=float,
        default=0.25,
        metavar="X",
        help="a customer and month (default: 0.25); 4 for many events",
    )
    sample.add_argument("--parquet", action="store_true", help="typed and clean Parquet (default: CSV with a little dirt)")
    return parser


def _plain(text: str) -> str:
    """A text that may quote an export, without what would command a terminal or turn the direction of writing."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "\N{REPLACEMENT CHARACTER}", text)


def _positive(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return number


def _check(asked: argparse.Namespace) -> int:
    from cxlib.report.parameters import as_of_date
    from cxlib.tables import TableError

    as_of = as_of_date(asked.as_of) if asked.as_of is not None else None
    from cxlib import sources

    try:
        print(_plain(sources.check(asked.sources, as_of=as_of)))
    except TableError as letter:
        raise Refusal(str(letter), DATA_REFUSED) from letter
    return DONE


def _doctor(asked: argparse.Namespace) -> int:
    from cxlib.report.doctor import examine

    examined = examine(sources=asked.sources, to=asked.to, private=asked.private)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a letter must not hide the finding
    print(json.dumps(examined.record, ensure_ascii=False) if asked.json else examined.text)
    return examined.code


def _init(asked: argparse.Namespace) -> int:
    from cxlib import draft
    from cxlib.tables import TableError

    if asked.templates:
        print(draft.templates())
        return DONE
    if not asked.files:
        raise Refusal("name the exports to look at: cxlib init FILE … --to sources.toml", USAGE)
    to = Path(asked.to) if asked.to else None
    if to and to.exists() and not asked.force:
        raise Refusal(f"'{to}' is there already. Write somewhere else, or over it with --force.", USAGE)
    try:
        text = draft.draft(asked.files, template=asked.template, beside=to.parent if to else Path())
    except TableError as letter:
        raise Refusal(str(letter), DATA_REFUSED) from letter
    if not to:
        print(text, end="")
        return DONE
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"'{to}' cannot be written: {error.strerror}.", ENVIRONMENT) from error
    print(f"{to} is drafted. Look at each line that says (confirm …), correct what is wrong, and write true under [confirm].")
    print(f"What it would read then:  cxlib check --sources {to}")
    print(f"The report:  cxlib run --as-of DATE --sources {to}")
    return DONE


def _sample(asked: argparse.Namespace) -> int:
    from cxlib import sample

    def told(words: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[Kcxlib sample: {words}")

    fields = {name: value for name, value in vars(asked).items() if name != "command"}
    try:
        written = sample.write(**fields, progress=told)
    except ValueError as letter:
        raise Refusal(str(letter), USAGE) from letter
    except OSError as error:
        raise Refusal(f"{asked.to}: {error.strerror or error}", ENVIRONMENT) from error
    sys.stderr.write("\r\033[K" if sys.stderr.isatty() else "")
    print(f"{len(written)} files in {asked.to}; look: cxlib check --sources {Path(asked.to) / 'sources.toml'}")
    return DONE


def _run(asked: argparse.Namespace) -> int:
    from cxlib.report.run import Request, run

    fields = {name: value for name, value in vars(asked).items() if name not in ("command", "json")}
    outcome = run(Request(**fields))
    for name, reason in outcome.reasons.items():
        sys.stderr.write(f"cxlib run: {name}: {_plain(reason)}\n")
    if outcome.log:
        sys.stderr.write(f"cxlib run: nothing was published; logs and notebooks of the attempt are in {outcome.log}\n")
    if asked.json:
        print(json.dumps(asdict(outcome), ensure_ascii=False))
    elif outcome.code == DONE:
        print(f"{outcome.status}: {Path(outcome.folder) / 'index.html'}")
        if outcome.revision:
            print(f"the earlier report is kept as {outcome.revision}")
    return outcome.code


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # one is enough; what follows tidies up
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def _ended(code: int) -> int:
    """End at once where a hanging notebook's thread is left; its kernel is gone already."""
    sys.stdout.flush()
    sys.stderr.flush()
    if any(thread.name == THREAD for thread in threading.enumerate()):
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
