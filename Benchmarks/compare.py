"""Alternates PyTorch and width-transfer on the same training steps and prints the ratios of their times."""

import argparse
import json
import os
import statistics
import subprocess
import sys

# network, width multiplier, resolution, batch size
CASES = [("resnet20", 0.5, 32, 128), ("resnet20", 1.0, 32, 128), ("resnet18", 1.0, 64, 64), ("mobilenet_v2", 1.0, 64, 64)]
SPANS = ["forward", "backward", "step", "total"]
PYTORCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_step.py")


def measure(command, case, iterations, threads):
    network, width, resolution, batch_size = case
    output = subprocess.run(
        command + ["--network", network, "--width", str(width), "--resolution", str(resolution), "--batch-size",
                   str(batch_size), "--iterations", str(iterations), "--threads", str(threads), "--json"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each process, roughly")
    parser.add_argument("--json", action="store_true", help="print one JSON line a case instead of the table")
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    sides = {"pytorch": [sys.executable, PYTORCH], "ours": [options.executable, "benchmark"]}
    if not options.json:
        print(f"Time of PyTorch over ours (larger than 1: ours is faster): median of {options.rounds} rounds, smallest to largest.")
        print(f"{options.threads} threads, float32, channels-last; PyTorch is eager. Milliseconds are medians of our steps.")
        print(f"{'network':<14}{'width':>6}{'images':>12}" + "".join(f"{span:>21}" for span in SPANS) + f"{'ours, ms':>11}")
    for case in CASES:
        if options.networks and case[0] not in options.networks:
            continue
        trial = measure(sides["pytorch"], case, 3, options.threads)
        iterations = max(5, min(2000, round(options.seconds * 1000 / trial["total"])))
        rounds = []
        for index in range(options.rounds):
            # A B, B A, A B, …: neither side always comes second on a machine that warms up or is busy.
            order = list(sides) if index % 2 == 0 else list(sides)[::-1]
            rounds.append({side: measure(sides[side], case, iterations, options.threads) for side in order})
        ratios = {span: sorted(r["pytorch"][span] / r["ours"][span] for r in rounds) for span in SPANS}
        ours = statistics.median(r["ours"]["total"] for r in rounds)
        if options.json:
            print(json.dumps({"network": case[0], "width": case[1], "resolution": case[2], "batchSize": case[3],
                              "threads": options.threads, "ratios": ratios, "rounds": rounds}), flush=True)
            continue
        cells = "".join(f"{statistics.median(v):>8.2f} ({v[0]:.2f}–{v[-1]:.2f})".rjust(21) for v in ratios.values())
        print(f"{case[0]:<14}{case[1]:>6}{f'{case[3]}×{case[2]}²':>12}{cells}{ours:>11.2f}", flush=True)


if __name__ == "__main__":
    main()
