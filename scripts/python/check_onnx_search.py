"""Searches imported networks as users would; scripts/check-onnx-search --help says more."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnxruntime
from PIL import Image
import torch
import torchvision_models

NAMES = ["regnet_y_400mf", "shufflenet_v2_x0_5", "mobilenet_v3_small", "mnasnet0_5", "squeezenet1_1", "resnext50_32x4d"]
METHODS = ["dmcp", "autoslim", "morphnet", "network-slimming"]
SIDE, CLASSES = 64, 4


def photos(folder):
    """A folder of noise in a few classes that differ in colour."""
    generator = numpy.random.default_rng(0)
    for part, count in (("train", 12), ("val", 4)):
        for label in range(CLASSES):
            place = folder / part / f"class{label}"
            place.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 128, (SIDE, SIDE, 3)) + 127 * (label % 2 == numpy.arange(3) % 2)
                Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(place / f"{number}.png")


def export(name, path):
    network = torchvision_models.model(name, num_classes=CLASSES).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, torch.zeros(1, 3, SIDE, SIDE), str(path), dynamo=False, opset_version=17,
                          input_names=["image"], dynamic_axes={"image": {0: "batch"}})


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip().split("\n")[-1]


def computes(path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    image = numpy.zeros((3, 3, SIDE, SIDE), numpy.float32)
    result = session.run(None, {session.get_inputs()[0].name: image})[0]
    return result.shape == (3, CLASSES) and bool(numpy.isfinite(result).all())


def attempt(executable, place, network, data, method, project, stacking):
    """Searches on the shrunk network; the widths that come out, on the full network, must be ones that onnxruntime computes."""
    output = place / f"{network.stem}-{method}-{project}-{stacking}"
    narrow = place / "narrow.onnx"
    fault = run([executable, "search", "--network", network, "--dataset", data, "--algorithm", method, "--search-epochs", 1,
                 "--batch-size", 16, "--divisor", 2, "--flops", "0.6x", "--project", project, "--stacking", stacking,
                 "--output", output, "--quiet", *(["--learning-rate", "0.01"])])
    fault = fault or run([executable, "export", "--network", network, "--widths", output / "widths.json", "--output", narrow,
                          "--overwrite", "--quiet"])
    if fault:
        return fault
    widths = json.loads((output / "widths.json").read_text())
    return "" if computes(narrow) else f"onnxruntime does not compute the widths {widths['widths']}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    faults = 0
    print("| network | blocks in stages | " + " | ".join(METHODS) + " | depth=0.5, average-block | depth=0.5, last-block |")
    print("| --- " * (len(METHODS) + 4) + "|")
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        data = place / "photos"
        photos(data)
        for name in arguments.names or NAMES:
            network = place / f"{name}.onnx"
            export(name, network)
            done = subprocess.run([arguments.executable, "inspect", str(network), "--json"], capture_output=True, text=True)
            blocks = [len(stage["blocks"]) for stage in json.loads(done.stdout)["stages"]]
            trials = [(method, "width=0.5", "average-block") for method in METHODS]
            # The one method that needs no normalizations, which networks such as SqueezeNet have none of.
            trials += [("autoslim", "depth=0.5", "average-block"), ("autoslim", "depth=0.5", "last-block")]
            results = [attempt(arguments.executable, place, network, data, *trial) for trial in trials]
            results = ["no normalizations" if "is left to decide on" in result else result for result in results]
            faults += sum(1 for result in results if result not in ("", "no normalizations"))
            print(f"| {name} | {' '.join(map(str, blocks)) or '–'} | "
                  + " | ".join(result.replace(folder, "")[-160:] or "yes" for result in results) + " |", flush=True)
    print(f"\n{faults} of them failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
