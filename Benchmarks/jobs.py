"""Throughput of a comparison with jobs side by side, over that of one job at a time with all threads.

Trains two networks of equal MACs (`run` with random widths: nothing is searched) with as many seeds as there are jobs, and divides
the images by the seconds of the whole program, its start included. The two ways take turns, beside 0 and 1 processes that only compute.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from busy import make_data

# network, divisor 1, width multiplier: stems of 4, 8 and 16 channels
WIDTHS = [0.25, 0.5, 1.0]


def throughput(executable, width, jobs, options):
    with tempfile.TemporaryDirectory() as folder:
        make_data(pathlib.Path(folder), options.images)
        words = [executable, "run", "--network", "resnet20", "--width", str(width), "--divisor", "1", "--dataset", folder, "--epochs", "1",
                 "--algorithm", "random", "--seeds", str(options.jobs), "--jobs", str(jobs), "--threads", str(options.threads),
                 "--output", f"{folder}/run", "--quiet"]
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return 2 * options.jobs * options.images / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=3000, help="of each training")
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 1])
    options = parser.parse_args()
    print(f"images/s over all jobs, resnet20 at 32 px, {options.threads} threads for all, median of {options.rounds} rounds "
          "(smallest to largest)")
    print(f"{'stem':<6}{'busy':<6}{'one at a time':>26}{f'{options.jobs} side by side':>26}{'ratio':>20}", flush=True)
    for width in WIDTHS:
        for busy in options.busy:
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            found = {1: [], options.jobs: []}
            try:
                for index in range(options.rounds):
                    for jobs in list(found)[::1 if index % 2 == 0 else -1]:
                        found[jobs].append(throughput(options.executable, width, jobs, options))
            finally:
                for other in others:
                    other.kill()
                    other.wait()
            cells = "".join(f"{statistics.median(v):.0f} ({min(v):.0f}–{max(v):.0f})".rjust(26) for v in found.values())
            ratios = sorted(side / one for one, side in zip(found[1], found[options.jobs], strict=True))
            ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
            print(f"{round(16 * width):<6}{busy:<6}{cells}{ratio:>20}", flush=True)


if __name__ == "__main__":
    main()
