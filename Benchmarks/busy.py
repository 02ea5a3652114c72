"""Times trainings beside busy processes: this program, a former one with libgomp's two ways of waiting, and eager PyTorch.

Images a second of resnet20 at stem 8 with as many threads as processors, beside 0, 1, 2 and 3 processes that only compute. The columns
take turns, so that a machine that changes its speed changes it for all; each figure is the median of the rounds. The last column is
this program over the better of the former's two ways.
"""

import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

PYTORCH = pathlib.Path(__file__).resolve().parent / "pytorch_step.py"


def make_data(folder, count, side=32, held_out=16):
    """IDX files of noise: what is in the images costs nothing here. Few held-out ones, as evaluations are not what is measured."""
    for split, images in (("train", count), ("t10k", held_out)):
        pixels = struct.pack(">4I", 0x803, images, side, side) + os.urandom(images * side * side)
        labels = struct.pack(">2I", 0x801, images) + bytes(i % 10 for i in range(images))
        (folder / f"{split}-images-idx3-ubyte").write_bytes(pixels)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(labels)


def train(executable, images, threads, environment):
    with tempfile.TemporaryDirectory() as folder:
        make_data(pathlib.Path(folder), images)
        output = subprocess.run(
            [executable, "train", "--network", "resnet20", "--width", "0.5", "--divisor", "1", "--dataset", folder, "--epochs", "1",
             "--threads", str(threads), "--output", f"{folder}/run", "--json", "--quiet"], check=True, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **environment}).stdout
    return json.loads(output)["imagesPerSecond"]


def pytorch(images, threads):
    steps = max(5, images // 128)
    output = subprocess.run(
        [sys.executable, PYTORCH, "--network", "resnet20", "--width", "0.5", "--resolution", "32", "--batch-size", "128", "--iterations",
         str(steps), "--threads", str(threads), "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return 128 * 1000 / json.loads(output)["total"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--former", help="the program of an earlier checkout")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=4500, help="of each measurement on an idle machine; half of that on a busy one")
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 1, 2, 3])
    parser.add_argument("--no-pytorch", action="store_true")
    options = parser.parse_args()
    columns = {"now": lambda images: train(options.executable, images, options.threads, {})}
    if options.former:
        columns["former, spinning"] = lambda images: train(options.former, images, options.threads, {})
        columns["former, passive"] = lambda images: train(options.former, images, options.threads, {"OMP_WAIT_POLICY": "passive"})
    if not options.no_pytorch:
        columns["PyTorch"] = lambda images: pytorch(images, options.threads)
    print(f"images/s, {options.threads} threads, median of {options.rounds} rounds (smallest to largest)")
    print(f"{'busy':<6}" + "".join(f"{name:>24}" for name in columns) + f"{'now / better former':>22}", flush=True)
    for busy in options.busy:
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            found = {name: [] for name in columns}
            for index in range(options.rounds):
                for name in list(columns)[::1 if index % 2 == 0 else -1]:
                    found[name].append(columns[name](options.images if busy == 0 else options.images // 2))
        finally:
            for other in others:
                other.kill()
                other.wait()
        middle = {name: statistics.median(values) for name, values in found.items()}
        cells = "".join(f"{middle[name]:>10.0f} ({min(v):.0f}–{max(v):.0f})".rjust(24) for name, v in found.items())
        better = [middle[name] for name in middle if name.startswith("former")]
        print(f"{busy:<6}{cells}" + (f"{middle['now'] / max(better):>22.2f}" if better else ""), flush=True)


if __name__ == "__main__":
    main()
