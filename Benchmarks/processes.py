#!/usr/bin/env python3
"""Seconds a training step takes on one machine: one process with one thread and with two, and two processes with one thread each.

Interleaved, so that all forms see the same machine, which should do nothing else. The step is that of the log between the ends of
the first and the last epoch. Two processes share a batch of the same size; their gradients go over the loopback.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts/python"))
from processes import Processes, seconds_a_step  # noqa: E402
from small_images import make_data  # noqa: E402

FORMS = {
    "1 process, 1 thread": (1, 1, []), "1 process, 2 threads": (1, 2, []), "2 processes, 1 thread each": (2, 1, []),
    "the same, gradients sent after the pass": (2, 1, ["--no-overlap"]),
    "the same, synchronized normalization": (2, 1, ["--sync-batch-norm"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/width-transfer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=["resnet20", "resnet18_cifar"])
    options = parser.parse_args()
    print("| network | form | seconds a step | ÷ 1 process, 2 threads | gradients a step | on the way | of it waited |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for network in options.networks:
        times, exchanges = {name: [] for name in FORMS}, {name: [] for name in FORMS}
        with tempfile.TemporaryDirectory(prefix="processes-") as folder:
            work = pathlib.Path(folder)
            # As many steps as take some seconds.
            batch, batches = (128, 12) if network == "resnet20" else (64, 3)
            make_data(work / "data", side=32, training=batch * batches, held_out=batch)
            for turn in range(options.rounds):
                for name, (count, threads, more) in FORMS.items():
                    output = work / f"{turn}-{name.replace(' ', '-')}"
                    command = [str(options.executable), "train", "--network", network, "--dataset", str(work / "data"), "--batch-size",
                               str(batch), "--epochs", "4", "--learning-rate", "0.01", "--threads", str(threads), "--quiet", *more,
                               "--output", str(output)]
                    for code, _, errors in Processes(command, count, threads=threads).end():
                        if code != 0:
                            sys.exit(f"processes: exit {code}: {errors}")
                    times[name].append(seconds_a_step(output))
                    exchanges[name].append(json.loads((output / "result.json").read_text()).get("exchange"))
        peer = statistics.median(times["1 process, 2 threads"])
        for name, values in times.items():
            value = statistics.median(values)
            if None in exchanges[name]:
                sent = "– | – | –"
            else:
                way = statistics.median(each["seconds"] for each in exchanges[name])
                waited = statistics.median(each["seconds"] - each["hiddenSeconds"] for each in exchanges[name])
                sent = f"{exchanges[name][0]['bytes'] / 1e6:.1f} MB | {1000 * way:.1f} ms | {1000 * waited:.1f} ms"
            spread = f"{min(values):.3f}–{max(values):.3f}"
            print(f"| {network} | {name} | {value:.3f} ({spread}) | {value / peer:.2f} | {sent} |", flush=True)


if __name__ == "__main__":
    main()
