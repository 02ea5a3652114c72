"""Computes what Pillow and torchvision make of small images, for the tests of this project's own transforms.

Compares with Tests/LoadingTests/Fixtures/transforms.json and fails where anything differs; `--write` writes that file.
Wants the interpreter that torch_environment of environment.sh makes, and takes seconds.

No image is stored: each is a formula, which the tests repeat. Of most results only the CRC-32 of their bytes is kept.
"""

import argparse
import base64
import itertools
import json
import os
import sys
import zlib

import torchvision_models  # noqa: F401  (makes torchvision importable)
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, RandAugment, autoaugment
from torchvision.transforms import functional as F

FILE = os.path.join(os.path.dirname(__file__), "../../Tests/LoadingTests/Fixtures/transforms.json")

# Name: formula, width, height. Each is made in colour and in grey.
IMAGES = {
    "noise": ("noise", 13, 9),
    "large": ("noise", 32, 32),
    "wide": ("noise", 41, 26),
    "ramp": ("ramp", 31, 33),
    "dim": ("dim", 24, 24),
    "stark": ("stark", 23, 17),
    "flat": ("flat", 12, 10),
    "strip": ("noise", 2, 40),
    "dot": ("noise", 1, 1),
}
BLENDS = [0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.9, 0.999, 1, 1.001, 1.1, 1.5, 1.9, 2, 3.7, 10, 11, -0.5]
STRENGTHS = {
    "brightness": (F.adjust_brightness, BLENDS),
    "contrast": (F.adjust_contrast, BLENDS),
    "saturation": (F.adjust_saturation, BLENDS),
    "sharpness": (F.adjust_sharpness, BLENDS),
    "hue": (F.adjust_hue, [-0.5, -0.4, -0.25, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.05, 0.1, 1 / 3, 0.4, 0.4999, 0.5]),
    "posterize": (F.posterize, [1, 2, 3, 4, 5, 6, 7, 8]),
    "solarize": (F.solarize, [-1, 0, 0.5, 1, 8.5, 100, 127.5, 128, 254.5, 255, 256]),
    "autocontrast": (lambda image, _: F.autocontrast(image), [0]),
    "equalize": (lambda image, _: F.equalize(image), [0]),
    "rotate": (F.rotate, [-180, -90, -30, -17.3, -1, 0, 0.5, 7, 30, 45, 60, 89.9, 90, 133.7, 180, 270, 359, 360, 400]),
    "shearX": (lambda image, slope: autoaugment._apply_op(image, "ShearX", slope, NEAREST, None),
               [-3, -0.3, -0.09, 0, 0.01, 0.5, 1]),
    "shearY": (lambda image, slope: autoaugment._apply_op(image, "ShearY", slope, NEAREST, None),
               [-3, -0.3, -0.09, 0, 0.01, 0.5, 1]),
    "translateX": (lambda image, shift: autoaugment._apply_op(image, "TranslateX", shift, NEAREST, None),
                   [-100, -13, -3, -0.9, 0, 1, 7, 12, 13]),
    "translateY": (lambda image, shift: autoaugment._apply_op(image, "TranslateY", shift, NEAREST, None),
                   [-100, -9, -3, -0.9, 0, 1, 7, 8, 9]),
}
NEAREST = InterpolationMode.NEAREST
BINS = [0, 1, 5, 9, 15, 22, 30]
SIDES = [1, 2, 3, 7, 8, 13, 28, 32, 64, 96, 128, 160, 176, 192, 224, 240, 256, 288, 300, 331, 380, 456, 528, 600, 662, 993]
# In the order brightness, contrast, saturation, hue.
JITTERS = [[0.6, 1.4, 0.3, 0.1], [1.37, 0.55, 1.8, -0.31], [0, 2, 2, 0.5]]


def samples(formula, width, height, channels):
    """The bytes of an image, the channels of a pixel next to each other."""
    state = 12345

    def noise():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return state >> 24

    formulas = {
        "noise": lambda x, y, c: noise(),
        "ramp": lambda x, y, c: (7 * x + 3 * y + 50 * c) % 256,
        "dim": lambda x, y, c: 60 + 10 * c + noise() % 50,
        "stark": lambda x, y, c: 255 if noise() > 150 else 0,
        "flat": lambda x, y, c: 77 + c,
    }
    return bytes(formulas[formula](x, y, c) for y in range(height) for x in range(width) for c in range(channels))


def picture(name, channels):
    formula, width, height = IMAGES[name]
    return Image.frombytes("RGB" if channels == 3 else "L", (width, height), samples(formula, width, height, channels))


def crc(image):
    return zlib.crc32(image.tobytes())


def every_image():
    return [(f"{name}{channels}", picture(name, channels)) for name in IMAGES for channels in (3, 1)]


def operations():
    """A CRC for each operation, strength and image, in the order of `images`."""
    return {name: [{"strength": strength, "crc": [crc(operation(image, strength)) for _, image in every_image()]}
                   for strength in strengths] for name, (operation, strengths) in STRENGTHS.items()}


def whole():
    """All bytes of some results, so that a failure can be looked at."""
    chosen = {"brightness": 1.5, "contrast": 0.5, "saturation": 1.9, "sharpness": 2, "hue": 0.1, "posterize": 3,
              "solarize": 128, "autocontrast": 0, "equalize": 0, "rotate": 30, "shearX": 0.3, "shearY": -0.3,
              "translateX": 4, "translateY": -3}
    return [{"operation": name, "strength": strength, "channels": channels,
             "bytes": base64.b64encode(STRENGTHS[name][0](picture("noise", channels), strength).tobytes()).decode()}
            for name, strength in chosen.items() for channels in (3, 1)]


def jitters():
    """A CRC for each order of the four adjustments, for each set of factors."""
    adjust = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
    result = []
    for factors in JITTERS:
        sums = []
        for order in itertools.permutations(range(4)):
            image = picture("large", 3)
            for index in order:
                image = adjust[index](image, factors[index])
            sums.append(crc(image))
        result.append({"factors": factors, "crc": sums})
    return result


def space(width, height):
    return RandAugment()._augmentation_space(31, (height, width))


def rand_augment():
    """torchvision's own table of magnitudes, and a CRC for each operation, magnitude and sign."""
    images = [(name, picture(name[:-1], int(name[-1]))) for name in ("large3", "large1", "wide3", "wide1")]
    sums = []
    for operation, (magnitudes, signed) in space(32, 32).items():
        for bin in BINS if magnitudes.ndim else [0]:
            for sign in (1, -1) if signed else (1,):
                row = []
                for _, image in images:
                    values = space(*image.size)[operation][0]
                    magnitude = float(values[bin].item()) if values.ndim else 0.0
                    row.append(crc(autoaugment._apply_op(image, operation, sign * magnitude, NEAREST, None)))
                sums.append({"operation": operation, "bin": bin, "sign": sign, "crc": row})
    magnitudes = {name: values.tolist() for name, (values, _) in space(32, 32).items()
                  if values.ndim and not name.startswith("Translate")}
    shifts = {str(side): [int(value) for value in space(side, 1)["TranslateX"][0].tolist()] for side in SIDES}
    return {"images": [name for name, _ in images], "names": list(space(32, 32)), "crc": sums,
            "signed": [name for name, (_, signed) in space(32, 32).items() if signed],
            "magnitudes": magnitudes, "shifts": shifts}


def references():
    return {"images": [name for name, _ in every_image()], "input": [crc(image) for _, image in every_image()],
            "operations": operations(), "whole": whole(), "jitters": jitters(), "randAugment": rand_augment()}


def written(value):
    """JSON with one line for each entry, so that a change can be read."""
    lines = []
    for name, group in value.items():
        if isinstance(group, dict):
            inner = ",\n".join(f"{json.dumps(key)}: {written_list(entry)}" for key, entry in group.items())
            lines.append(f"{json.dumps(name)}: {{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(name)}: {written_list(group)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def written_list(value):
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return json.dumps(value, separators=(",", ":"))
    return "[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in value) + "\n]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the file instead of comparing with it")
    arguments = parser.parse_args()
    found = references()
    versions = f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}, PyTorch {torch.__version__}"
    if arguments.write:
        os.makedirs(os.path.dirname(FILE), exist_ok=True)
        with open(FILE, "w") as file:
            file.write(written({"madeWith": versions, **found}))
        print(f"written with {versions}")
        return
    with open(FILE) as file:
        kept = json.load(file)
    wrong = []
    for name, group in json.loads(json.dumps(found)).items():
        parts = [(name, group, kept.get(name))]
        if isinstance(group, dict):
            parts = [(f"{name}.{key}", entry, kept.get(name, {}).get(key)) for key, entry in group.items()]
        wrong += [part for part, entry, other in parts if entry != other]
    print(f"{versions}; the file was made with {kept['madeWith']}")
    if wrong:
        sys.exit("differs: " + ", ".join(wrong))
    print("all references are as in the file")


if __name__ == "__main__":
    main()
