"""Alternates torchvision and width-transfer in loading the same training images and prints the ratios of their speeds."""

import argparse
import json
import os
import statistics
import subprocess
import sys

TORCHVISION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchvision_loader.py")
FFCV = """\
Published by FFCV (Leclerc et al. 2023) for ImageNet, on other machines: 325 images/s a vCPU from JPEGs of at most 512 pixels,
1,800 from raw pixels of at most 256. A vCPU is usually half a core."""


def measure(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def commands(options, resolution):
    """What to run, by the name of a side; ours once for the folder and once for each packed file."""
    shared = ["--resolution", str(resolution), "--batch-size", str(options.batch_size), "--json"]
    sides = {"torchvision": [sys.executable, TORCHVISION, "--dataset", os.path.join(options.dataset, "train"),
                             "--workers", str(options.threads), *shared]}
    for path in [options.dataset, *options.packed]:
        sides[os.path.basename(os.path.normpath(path))] = [
            options.executable, "benchmark-images", "--dataset", path, "--threads", str(options.threads), *shared]
    return sides


def speeds(rounds, side):
    return statistics.median(r[side]["imagesPerSecond"] for r in rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--dataset", required=True, help="a folder with class folders in train/ and val/")
    parser.add_argument("--packed", nargs="*", default=[], metavar="FILE", help="the same images, packed")
    parser.add_argument("--resolutions", type=int, nargs="+", default=[64, 160, 224])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="that load images; torchvision's workers are processes (default: all cores)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON line for each line of the table instead")
    options = parser.parse_args()
    if not options.json:
        print(f"Speed of ours over torchvision's (larger than 1: ours is faster): median of {options.rounds} rounds, smallest to "
              "largest.")
        print(f"Random resized crops, mirrored and normalized, batches of {options.batch_size}, {options.threads} "
              "threads or worker processes, files in memory.")
        print("Images/s are medians; those of a core are divided by the threads.\n")
        print(f"{'':<26}{'':>21}{'images/s':>20}{'images/s a core':>20}")
        print(f"{'pixels':<8}{'data':<18}{'ratio':>21}{'torchvision':>12}{'ours':>8}{'torchvision':>12}{'ours':>8}")
    for resolution in options.resolutions:
        sides = commands(options, resolution)
        rounds = []
        for index in range(options.rounds):
            # A B, B A, A B, …: neither side always comes second on a machine that warms up or is busy.
            order = list(sides) if index % 2 == 0 else list(sides)[::-1]
            rounds.append({side: measure(sides[side]) for side in order})
        theirs = speeds(rounds, "torchvision")
        for side in list(sides)[1:]:
            ratios = sorted(r[side]["imagesPerSecond"] / r["torchvision"]["imagesPerSecond"] for r in rounds)
            ours = speeds(rounds, side)
            if options.json:
                print(json.dumps({"resolution": resolution, "data": side, "format": rounds[0][side]["format"],
                                  "threads": options.threads, "batchSize": options.batch_size, "ratios": ratios,
                                  "rounds": [{"torchvision": r["torchvision"], "ours": r[side]} for r in rounds]}), flush=True)
                continue
            ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
            print(f"{resolution:<8}{side:<18}{ratio:>21}{theirs:>12,.0f}{ours:>8,.0f}{theirs / options.threads:>12,.0f}"
                  f"{ours / options.threads:>8,.0f}", flush=True)
    if not options.json:
        print(f"\n{FFCV}")


if __name__ == "__main__":
    main()
