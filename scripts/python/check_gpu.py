"""Checks trainings and searches on a GPU; scripts/check-gpu --help says more."""

import argparse
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

from processes import events

CLASSES = 10
METHODS = ["dmcp", "autoslim", "morphnet", "network-slimming"]
SHARED = ["--network", "resnet20", "--width", "0.5", "--divisor", "2", "--batch-size", "64", "--quiet"]


def write_images(folder, count, held_out):
    """IDX files: a pattern of four levels for each class, under noise that hides much of it."""
    draw = random.Random(3)
    patterns = [[draw.choice((40, 90, 160, 210)) for _ in range(49)] for _ in range(CLASSES)]
    folder.mkdir(parents=True)
    for name, number in (("train", count), ("t10k", held_out)):
        pixels = bytearray()
        for index in range(number):
            pattern = patterns[index % CLASSES]
            noise = draw.randbytes(784)
            pixels += bytes((pattern[y // 4 * 7 + x // 4] + 2 * noise[28 * y + x]) // 3 for y in range(28) for x in range(28))
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, number, 28, 28) + pixels)
        labels = bytes(index % CLASSES for index in range(number))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, number) + labels)


class Checks:
    def __init__(self, options, place):
        self.options, self.place, self.failed, self.number = options, place, 0, 0

    def call(self, *words):
        started = time.monotonic()
        answer = subprocess.run([self.options.executable, *map(str, words)], capture_output=True, text=True, check=False)
        return answer, time.monotonic() - started

    def output(self):
        self.number += 1
        return self.place / f"out{self.number}"

    def say(self, what, good, note=""):
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'} {what}   {note}", flush=True)

    def work(self, command, *more, device=None):
        """Runs a training or search and returns its folder, or None."""
        output = self.output()
        answer, seconds = self.call(command, *SHARED, "--dataset", self.place / "data", "--device", device or self.options.device,
                                    "--output", output, *more)
        if answer.returncode != 0:
            print(f"       {command} {' '.join(map(str, more))}: {answer.returncode} {answer.stderr[-600:]}")
            return None, seconds
        return output, seconds

    def interrupted(self, command, *more, after=0.45, whole=10.0):
        """The same, but interrupted once part of the way and called again."""
        output = self.output()
        words = [self.options.executable, command, *SHARED, "--dataset", self.place / "data", "--device", self.options.device,
                 "--output", output, *more]
        words = list(map(str, words))
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        # Before its first steps there is nothing to go on from.
        while process.poll() is None and not any(
                event["event"] in ("step", "search") for folder in (output, output / "search") for event in events(folder)):
            time.sleep(0.05)
        time.sleep(max(0, after * whole - (time.monotonic() - begun)))
        process.send_signal(signal.SIGINT)
        code = process.wait()
        answer = subprocess.run(words, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            print(f"       {answer.stderr[-600:]}")
        return output, code


def digest(path):
    """Of the tensors, not of what the file says about the run."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    return hashlib.sha256(content[start:]).hexdigest()[:12]


def result(folder):
    return json.loads((folder / "result.json").read_text())


def train_loss(folder):
    """Of the first epoch."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return next(event["trainLoss"] for event in events if event["event"] == "epoch")


def check_training(checks, epochs):
    same = ["--epochs", epochs, "--seed", "1"]
    first, seconds = checks.work("train", *same)
    if first is None:
        return checks.say("training", False)
    again, _ = checks.work("train", *same)
    checks.say("a training gives the same bits twice", digest(first / "model.safetensors") == digest(again / "model.safetensors"),
               f"{seconds:.1f} s, top-1 {result(first)['top1']:.2f} %")
    stopped, code = checks.interrupted("train", *same, whole=seconds)
    checks.say("… and after an interruption", code == 130 and digest(first / "model.safetensors") == digest(stopped / "model.safetensors"),
               f"the first call ended with {code}")
    cpu, slow = checks.work("train", *same, device="cpu")
    apart = abs(result(first)["top1"] - result(cpu)["top1"])
    checks.say("it learns what the CPU learns", apart < 5,
               f"top-1 {result(first)['top1']:.2f} and {result(cpu)['top1']:.2f} %, {seconds:.1f} and {slow:.1f} s")
    for device, weights in (("cpu", first), (checks.options.device, cpu)):
        answer, _ = checks.call("evaluate", "--weights", weights / "model.safetensors", "--dataset", checks.place / "data", "--device",
                                device, "--json")
        evaluated = json.loads(answer.stdout) if answer.returncode == 0 else {"top1": -1, "loss": -1}
        own = result(weights)
        checks.say(f"what the other trained is evaluated alike on {device}",
                   abs(evaluated["top1"] - own["top1"]) <= 0.2 and abs(evaluated["loss"] - own["loss"]) < 1e-3,
                   f"loss {evaluated['loss']:.6f} and {own['loss']:.6f}")
    one = ["--epochs", "1", "--subset", "10%", "--seed", "1", "--learning-rate", "0.01"]
    pair = [train_loss(checks.work("train", *one, device=device)[0]) for device in (checks.options.device, "cpu")]
    checks.say("the loss over the first steps is the CPU's", abs(pair[0] - pair[1]) < 2e-3, f"{pair[0]:.6f} and {pair[1]:.6f}")
    for more in (["--precision", "bfloat16"], ["--precision", "float16"], ["--clip-norm", "0.5"], ["--averaging-decay", "0.99"]):
        folder, seconds = checks.work("train", *same, *more)
        if folder is None:
            checks.say(" ".join(more), False)
            continue
        twice, _ = checks.work("train", *same, *more)
        bits = digest(folder / "model.safetensors") == digest(twice / "model.safetensors")
        checks.say(f"{' '.join(more)} trains, to the same bits twice", bits and result(folder)["top1"] > result(first)["top1"] - 15,
                   f"{seconds:.1f} s, top-1 {result(folder)['top1']:.2f} %, {'the same' if bits else 'OTHER'} bits")


def check_networks(checks):
    for network in ("mobilenet_v2_cifar", "efficientnet_b0", "vgg11_cifar"):
        side = [] if network == "mobilenet_v2_cifar" else ["--resolution", "32"]
        outputs = []
        for _ in range(2):
            output = checks.output()
            answer, seconds = checks.call(
                "train", "--network", network, "--width", "0.25", "--dataset", checks.place / "data", "--device", checks.options.device,
                "--epochs", "1", "--batch-size", "64", "--quiet", "--output", output, *side)
            outputs.append(output)
        good = answer.returncode == 0 and digest(outputs[0] / "model.safetensors") == digest(outputs[1] / "model.safetensors")
        checks.say(f"{network} gives the same bits twice", good, f"{seconds:.1f} s {answer.stderr[-300:] if answer.returncode else ''}")


def check_searches(checks, epochs):
    for method in METHODS:
        words = ["--algorithm", method, "--search-epochs", epochs, "--flops", "0.7x"]
        first, seconds = checks.work("search", *words)
        if first is None:
            checks.say(method, False)
            continue
        found = json.loads((first / "widths.json").read_text())
        again, _ = checks.work("search", *words)
        other = json.loads((again / "widths.json").read_text())
        checks.say(f"{method} finds the same widths twice", found["widths"] == other["widths"],
                   f"{seconds:.1f} s, {found['macs'] / found['targetMacs']:.3f} of the budget")
        stopped, code = checks.interrupted("search", *words, whole=seconds, after=0.6)
        late = json.loads((stopped / "widths.json").read_text())
        checks.say("… and after an interruption", code == 130 and late["widths"] == found["widths"], f"the first call ended with {code}")
        if not checks.options.quick:
            cpu, slow = checks.work("search", *words, device="cpu")
            there = json.loads((cpu / "widths.json").read_text())["widths"]
            apart = sum(abs(there[group] - width) for group, width in found["widths"].items()) / sum(found["widths"].values())
            checks.say("… near the CPU's", apart < 0.25, f"{100 * apart:.1f} % of the channels differ, {slow:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="without the CPU's searches")
    options = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        write_images(place / "data", 4000, 1000)
        checks = Checks(options, place)
        check_training(checks, "4")
        check_networks(checks)
        check_searches(checks, "3")
    print(f"{checks.failed} failed" if checks.failed else "all passed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
