"""Alternates PyTorch and width-transfer on the same training steps and prints the ratios of their times."""

import argparse
import json
import os
import statistics
import subprocess
import sys

# network, width multiplier, channels of the stages, resolution, batch size
CASES = [
    ("resnet20", 0.5, None, 32, 128), ("resnet20", 1.0, None, 32, 128), ("resnet20", 0.5, "6,15,41", 32, 128),
    ("resnet20", 0.5, "6,16,40", 32, 128), ("resnet18", 1.0, None, 64, 64), ("mobilenet_v2", 1.0, None, 64, 64),
    ("efficientnet_b0", 1.0, None, 64, 64),
]
PYTORCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_step.py")
# glibc gives freed memory back to the system and takes it anew in every step unless it is told not to; this program tells it.
KEEPS = {"MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TOP_PAD_": "67108864"}


def sides(executable, wanted):
    """The command and environment of each side: ours first."""
    pytorch = [sys.executable, PYTORCH]
    peers = {"eager": (pytorch, {}), "kept": (pytorch, KEEPS), "compiled": ([*pytorch, "--compile"], KEEPS)}
    return {"ours": ([executable, "benchmark"], {}), **{name: peers[name] for name in wanted}}


def measure(side, case, iterations, options):
    command, environment = side
    network, width, stages, resolution, batch_size = case
    words = ["--network", network, "--width", str(width), "--resolution", str(resolution), "--batch-size", str(batch_size),
             "--iterations", str(iterations), "--threads", str(options.threads), "--device", options.device,
             "--precision", options.precision, "--json"]
    # As the peers have it: their networks for CIFAR end in ten classes.
    if network == "resnet20" and command[-1] == "benchmark":
        words += ["--classes", "10"]
    if stages:
        words += ["--stages", stages]
    output = subprocess.run(command + words, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | environment).stdout
    return json.loads(output)


def name_of(case):
    network, width, stages, resolution, batch_size = case
    return f"{network} {stages or f'x{width:g}'}".ljust(20) + f"{batch_size}×{resolution}²".rjust(9)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each process, roughly")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--peers", default="eager,kept,compiled", help="some of eager, kept and compiled")
    parser.add_argument("--json", action="store_true", help="print one JSON line a case instead of the table")
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    peers = options.peers.split(",")
    both = sides(options.executable, peers)
    if not options.json:
        print(f"Time of PyTorch over ours (larger than 1: ours is faster): median of {options.rounds} rounds, smallest to largest.")
        print(f"{options.device}, {options.threads} threads, {options.precision}, channels-last. kept: eager, with an allocator that keeps "
              "its memory, as ours does; compiled: the same by torch.compile. MB more: what the process held at most beyond what it held "
              "before the first step.")
        print(f"{'network':<20}{'images':>9}" + "".join(f"{peer:>21}" for peer in peers)
              + f"{'ours, ms':>11}{'ns a kMAC':>11}{'compiling, s':>14}{'MB more: ours, eager':>22}")
    for case in CASES:
        if options.networks and case[0] not in options.networks:
            continue
        trial = measure(both["ours"], case, 3, options)
        iterations = max(5, min(2000, round(options.seconds * 1000 / trial["total"])))
        rounds = []
        for index in range(options.rounds):
            # A B C, C B A, A B C, …: no side always comes last on a machine that warms up or is busy.
            order = list(both) if index % 2 == 0 else list(both)[::-1]
            rounds.append({side: measure(both[side], case, iterations, options) for side in order})
        ratios = {peer: sorted(r[peer]["total"] / r["ours"]["total"] for r in rounds) for peer in peers}
        ours = statistics.median(r["ours"]["total"] for r in rounds)
        if options.json:
            print(json.dumps({"network": case[0], "width": case[1], "stages": case[2], "resolution": case[3], "batchSize": case[4],
                              "threads": options.threads, "device": options.device, "ratios": ratios, "rounds": rounds}), flush=True)
            continue
        cells = "".join(f"{statistics.median(v):>8.2f} ({v[0]:.2f}–{v[-1]:.2f})".rjust(21) for v in ratios.values())
        work = 1e9 * ours / (3 * rounds[0]["ours"]["macs"] * case[4])
        compiling = max(r.get("compiled", {}).get("compiling", 0) for r in rounds)
        memory = ", ".join(f"{max(r[side]['stepMemory'] for r in rounds):.0f}" for side in ("ours", "eager") if side in rounds[0])
        print(f"{name_of(case)}{cells}{ours:>11.2f}{work:>11.3f}{compiling:>14.1f}{memory:>22}", flush=True)


if __name__ == "__main__":
    main()
