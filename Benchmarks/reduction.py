"""Measured against counted reduction: the seconds of a search on a network over those on its projection, beside the FLOPs of both.

For each network, method and projection one search on the network itself and one on the projection, in turns, on images of noise
(what they show costs nothing). `counted` is what the program says, FLOPs of one over FLOPs of the other; `measured` the same of
seconds of work, without the start of the program; their quotient says how much of what is counted is real. The paper's Table 1
has 0.76 to 0.96 on GPUs.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from busy import make_data

METHODS = ["dmcp", "autoslim", "morphnet", "network-slimming"]
# network, resolution, images, AutoSlim's divisor (one channel at a time makes its descent very long), projections of about 8 and 30 times
CASES = [
    ("resnet20", 32, 5120, 4, ["width=0.707,resolution=22,data=50%", "width=0.5,resolution=16,data=50%"]),
    ("resnet18", 64, 640, 8, ["width=0.707,resolution=45,data=50%", "width=0.5,resolution=32,data=50%"]),
    ("mobilenet_v2_cifar", 64, 640, 16, ["width=0.707,resolution=45,data=50%", "width=0.5,resolution=32,data=50%"]),
]


def search(options, data, network, resolution, method, divisor, projection):
    with tempfile.TemporaryDirectory() as folder:
        words = [options.executable, "search", "--network", network, "--divisor", str(divisor), "--resolution", str(resolution)]
        words += ["--dataset", data, "--algorithm", method, "--epochs", "1", "--search-epochs", "1", "--batch-size", "64"]
        words += ["--threads", str(options.threads), "--output", f"{folder}/run", "--quiet"]
        if projection:
            words += ["--project", projection]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return json.loads(pathlib.Path(folder, "run", "widths.json").read_text())["overhead"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--images", type=float, default=1.0, help="a factor on the images of each case")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    print(f"{options.threads} threads; median of {options.rounds} rounds (smallest to largest)")
    print(f"{'network':<20}{'method':<18}{'projection':<38}{'direct, s':>10}{'counted':>9}{'measured':>22}{'÷ counted':>11}", flush=True)
    for network, resolution, images, autoslim, projections in CASES:
        if options.networks and network not in options.networks:
            continue
        with tempfile.TemporaryDirectory() as data:
            make_data(pathlib.Path(data), round(images * options.images), resolution, held_out=256)
            for method in options.methods:
                divisor = autoslim if method == "autoslim" else 1
                rounds = [{p: search(options, data, network, resolution, method, divisor, p) for p in [None, *projections][::step]}
                          for step in [1, -1] * ((options.rounds + 1) // 2)][:options.rounds]
                direct = statistics.median(r[None]["seconds"] for r in rounds)
                for projection in projections:
                    counted = rounds[0][None]["flops"] / rounds[0][projection]["flops"]
                    measured = sorted(r[None]["seconds"] / r[projection]["seconds"] for r in rounds)
                    middle = statistics.median(measured)
                    print(f"{network:<20}{method:<18}{projection:<38}{direct:>10.1f}{counted:>9.1f}"
                          + f"{middle:.1f} ({measured[0]:.1f}–{measured[-1]:.1f})".rjust(22) + f"{middle / counted:>11.2f}", flush=True)


if __name__ == "__main__":
    main()
