"""Measures latency tables and how far off they are; scripts/check-latency --help says more."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

NAMES = ["resnet18", "mobilenet_v2", "efficientnet_b0", "resnet20"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", default="1")
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    failures = 0
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
            check = table["check"]
            # One factor for all, the best in relative terms, as MACs would be taken for time.
            ratios = [macs / pair[1] for macs, pair in zip(check["macs"], check["pairs"])]
            factor = sum(ratios) / sum(ratio * ratio for ratio in ratios)
            errors = [abs(factor * ratio - 1) for ratio in ratios]
            failures += check["medianError"] > 0.1
            print(f"| {name} | {table['runtime']} | {len(table['forms'])} | {1e3 * json.loads(shown.stdout)['latency']:.2f} "
                  f"| {100 * check['medianError']:.1f} | {100 * check['largestError']:.1f} "
                  f"| {100 * statistics.median(errors):.1f} | {100 * max(errors):.1f} |", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
