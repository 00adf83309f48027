"""How fast the sample company is made: seconds, events a second and peak memory, for companies up to 100 million events.

``python tests/benchmarks/generator.py``, or with other sizes: ``--customers 2000 64000``. Each company is made in a process of its
own, whose peak memory the system reports; its files are deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Makes one company and says, in bytes, the most memory that took.
MAKE = """
import resource, sys
from cxlib.__main__ import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
sys.exit(code)
"""


def made(folder: Path, customers: int, journeys: float) -> tuple[float, int, int, int, int]:
    """Seconds, events, rows of all tables, bytes on disk and bytes of memory at most, of one company as Parquet."""
    words = ["sample", "--parquet", "--customers", str(customers), "--journeys", str(journeys), "--to", str(folder)]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MAKE, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"cxlib {' '.join(words)}\n{done.stderr[-3000:]}")
    rows = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["rows"]
    size = sum(path.stat().st_size for path in folder.iterdir())
    return seconds, rows["events"], sum(rows.values()), size, int(done.stdout.split()[-1])


def main() -> int:
    """Print a line a company."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--customers", type=int, nargs="+", default=[2_000, 64_000, 641_000], metavar="N", help="(default: 2000 64000 641000)"
    )
    parser.add_argument("--journeys", type=float, default=4.0, metavar="X", help="a customer and month (default: 4)")
    parser.add_argument("--to", type=Path, metavar="DIR", help="where there is room; 100 million events take 1.3 GB")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; Parquet, {asked.journeys:g} journeys a customer and month\n")
    print(f"{'customers':>10}{'events':>14}{'all rows':>14}{'seconds':>9}{'events/s':>12}{'on disk':>10}{'memory':>10}")
    for customers in asked.customers:
        folder = Path(tempfile.mkdtemp(prefix="cxlib-generator-", dir=asked.to))
        try:
            seconds, events, rows, size, memory = made(folder, customers, asked.journeys)
        finally:
            shutil.rmtree(folder)
        sizes = f"{size / 1e6:>7,.0f} MB{memory / 1e6:>7,.0f} MB"
        print(f"{customers:>10,}{events:>14,}{rows:>14,}{seconds:>9.1f}{events / seconds:>12,.0f}{sizes}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
