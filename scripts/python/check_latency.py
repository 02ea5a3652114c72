"""Measures latency tables and how far off they are; scripts/check-latency --help says more."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime

NAMES = ["resnet18", "mobilenet_v2", "efficientnet_b0", "resnet20"]


def tilted(executable, name, early, path):
    """Widths that fall from one end of the network to the other, from 1.4 times the network's own to 0.6."""
    groups = [group for group in json.loads(run(executable, "inspect", name, "--json"))["widthGroups"] if not group.get("fixed")]
    widths = {}
    for place, group in enumerate(groups):
        depth = place / max(1, len(groups) - 1)
        factor = 1.4 - 0.8 * depth if early else 0.6 + 0.8 * depth
        widths[group["id"]] = max(8, round(factor * group["width"] / 8) * 8)
    path.write_text(json.dumps({"network": name, "widths": widths}))


def run(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def least(path, threads):
    """The least time of a call of onnxruntime, over some seconds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: numpy.zeros([size if isinstance(size, int) else 1 for size in entry.shape], numpy.float32)}
    times = []
    end = time.perf_counter() + 5
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - start)
    return min(times)


def tilts(executable, name, table, threads):
    """What the network takes when its channels move to one end, relative to its own: measured, by the table, by MACs."""
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        found = {}
        for kind in ("own", "early", "late"):
            widths = []
            if kind != "own":
                tilted(executable, name, kind == "early", folder / "widths.json")
                widths = ["--widths", folder / "widths.json"]
            told = json.loads(run(executable, "inspect", name, "--latency-table", table, "--json", *widths))
            path = folder / f"{kind}.onnx"
            run(executable, "export", "--network", name, "--output", path, "--batch-norm", "fold", "--quiet", *widths)
            found[kind] = (least(path, threads), told["latency"], told["macs"])
        return {kind: [one / own for one, own in zip(found[kind], found["own"])] for kind in ("early", "late")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", default="1")
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    failures = 0
    moved = {}
    print("| network | runtime | forms | own, ms | median error, % | largest, % | by MACs alone: median, % | largest, % |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in options.networks or NAMES:
        for runtime in ("libtorch", "onnxruntime"):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "table.json"
                command = [options.executable, "latency", "measure", "--network", name, "--runtime", runtime, "--quiet",
                           "--python", sys.executable, "--threads", options.threads, "--output", str(path)]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                table = json.loads(path.read_text())
                shown = subprocess.run([options.executable, "inspect", name, "--latency-table", str(path), "--json"],
                                       check=True, capture_output=True, text=True)
                if runtime == "onnxruntime":
                    moved[name] = tilts(options.executable, name, path, int(options.threads))
            check = table["check"]
            # One factor for all, the best in relative terms, as MACs would be taken for time.
            ratios = [macs / pair[1] for macs, pair in zip(check["macs"], check["pairs"])]
            factor = sum(ratios) / sum(ratio * ratio for ratio in ratios)
            errors = [abs(factor * ratio - 1) for ratio in ratios]
            failures += check["medianError"] > 0.1
            print(f"| {name} | {table['runtime']} | {len(table['forms'])} | {1e3 * json.loads(shown.stdout)['latency']:.2f} "
                  f"| {100 * check['medianError']:.1f} | {100 * check['largestError']:.1f} "
                  f"| {100 * statistics.median(errors):.1f} | {100 * max(errors):.1f} |", flush=True)
    print("\n| network | channels moved to the | measured | by the table | by MACs alone |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name, kinds in moved.items():
        for kind, ratios in kinds.items():
            print(f"| {name} | {'first' if kind == 'early' else 'last'} layers | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
