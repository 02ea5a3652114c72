"""How time grows with images, width, depth and resolution: fitted exponents over a factor of 8 each.

An exponent of 1 doubles the time when the size doubles. Beside the fit over all sizes stand the exponents between one size and the
next, which show where it bends.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile

from busy import make_data

NETWORK = "resnet20"


def step(options, **sizes):
    """Milliseconds of a step, and the MACs of an image."""
    words = {"width": 1, "depth": 1, "resolution": 32, "batch_size": 64} | sizes
    flags = [text for key, value in words.items() for text in (f"--{key.replace('_', '-')}", str(value))]
    output = subprocess.run(
        [options.executable, "benchmark", "--network", NETWORK, *flags, "--divisor", "1", "--iterations", "12", "--threads",
         str(options.threads), "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(output)
    return found["total"], found["macs"] * words["batch_size"]


def training(options, images):
    """Milliseconds of a training's one epoch, the start of the program not counted, and its MACs."""
    with tempfile.TemporaryDirectory() as folder:
        make_data(pathlib.Path(folder), images)
        output = subprocess.run(
            [options.program, "train", "--network", NETWORK, "--width", "0.5", "--divisor", "1", "--dataset", folder, "--epochs", "1",
             "--batch-size", "64", "--threads", str(options.threads), "--output", f"{folder}/run", "--json", "--quiet"], check=True,
            stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)["seconds"] * 1000, images


def exponent(points):
    """The slope of log time over log size, by least squares."""
    logs = [(math.log(size), math.log(time)) for size, time in points]
    middle = [statistics.mean(values) for values in zip(*logs)]
    return sum((x - middle[0]) * (y - middle[1]) for x, y in logs) / sum((x - middle[0]) ** 2 for x, _ in logs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True, help="width-transfer-bench")
    parser.add_argument("--program", required=True, help="width-transfer")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cases = {
        "images of a training": ([1280, 2560, 5120, 10240], lambda size: training(options, size)),
        "images of a batch": ([16, 32, 64, 128], lambda size: step(options, batch_size=size)),
        "width": ([0.25, 0.5, 1, 2], lambda size: step(options, width=size)),
        "depth": ([0.5, 1, 2, 4], lambda size: step(options, depth=size)),
        "side of the images": ([8, 16, 32, 64], lambda size: step(options, resolution=size)),
    }
    print(f"{NETWORK}, {options.threads} threads; milliseconds, medians of {options.rounds} rounds")
    for name, (sizes, measure) in cases.items():
        rounds = [[measure(size) for size in (sizes if index % 2 == 0 else sizes[::-1])] for index in range(options.rounds)]
        ordered = [found if index % 2 == 0 else found[::-1] for index, found in enumerate(rounds)]
        times = [statistics.median(found[i][0] for found in ordered) for i in range(len(sizes))]
        work = [ordered[0][i][1] for i in range(len(sizes))]
        steps = " ".join(f"{math.log(b / a) / math.log(t / s):.2f}" for a, b, s, t in zip(times, times[1:], sizes, sizes[1:]))
        print(f"{name:<22}" + "  ".join(f"{size:g}: {time:.1f}" for size, time in zip(sizes, times)).ljust(60)
              + f"exponent {exponent(list(zip(sizes, times))):.2f}, from one to the next {steps}; of the MACs "
              + f"{exponent(list(zip(sizes, work))):.2f}", flush=True)


if __name__ == "__main__":
    main()
