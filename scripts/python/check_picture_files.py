"""Compares the pixels of any JPEG and PNG files with Pillow's; scripts/check-images --help says more."""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
from PIL import Image, ImageFile, ImageOps
from safetensors.numpy import load_file

SIGNATURES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}
TOGETHER = 40
LARGEST = 40_000_000


def picture_files(folders):
    """The files that begin as a JPEG or a PNG file does, each content once: {content's digest: (path, ending)}."""
    found = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            content = path.read_bytes()
            for signature, ending in SIGNATURES.items():
                if content.startswith(signature):
                    found.setdefault(hashlib.sha256(content).hexdigest()[:20], (path, ending))
    return found


def read_pillow(path):
    """The image as Pillow has it, turned and in colour, and None; or None, and what Pillow says."""
    try:
        image = Image.open(path)
        if image.width * image.height > LARGEST:
            return None, "large"
        image.load()
        try:
            turned = ImageOps.exif_transpose(image)
        except Exception:  # EXIF data that Pillow cannot read: not turned
            turned = image
        if turned.mode.startswith("I"):
            turned = Image.fromarray((numpy.asarray(turned) >> 8).astype(numpy.uint8))
        return numpy.asarray(turned.convert("RGB")), None
    except Exception as error:  # of many kinds
        return None, f"{type(error).__name__}: {error}"


def read_ours(executable, folder):
    """What the program reads from class folders: {file's name: array}."""
    output = os.path.join(folder, "..", "images.safetensors")
    subprocess.run([f"{executable}-bench", "read-images", "--dataset", folder, "--split", "training", "--output", output],
                   check=True, capture_output=True, text=True)
    with open(output, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = load_file(output)
    os.remove(output)
    places = header["__metadata__"]["places"].split("\n")
    return {os.path.basename(place): tensors[f"{index:05}"] for index, place in enumerate(places)}


def class_folders(folder, files, whole):
    """Makes class folders with some files to train on, and one whole image of each class held out."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("train/a", "train/b", "val/a", "val/b"):
        os.makedirs(os.path.join(folder, part))
        whole.save(os.path.join(folder, part, "whole.png"))
    for digest, (path, ending) in files.items():
        os.symlink(path.resolve(), os.path.join(folder, "train", "a", digest + ending))


def verified(executable, folder):
    """What `data verify` refuses: {file's name: reason}."""
    answer = subprocess.run([executable, "data", "verify", folder, "--json"], capture_output=True, text=True, check=False)
    if not answer.stdout:
        sys.exit(answer.stderr)
    return {os.path.basename(fault["file"]): fault["reason"] for fault in json.loads(answer.stdout)["faults"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--files", nargs="+", required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    files = picture_files(arguments.files)
    count, others = collections.Counter(), []
    whole = Image.fromarray(numpy.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=numpy.uint8))
    with tempfile.TemporaryDirectory() as name:
        folder = os.path.join(name, "pictures")
        class_folders(folder, files, whole)
        refused = verified(arguments.executable, folder)
        digests = sorted(files)
        for start in range(0, len(digests), TOGETHER):
            theirs, part = {}, {}
            for digest in digests[start:start + TOGETHER]:
                path, ending = files[digest]
                theirs[digest] = read_pillow(path)
                if theirs[digest][1] == "large":
                    count["larger than 40 million pixels: left out"] += 1
                elif digest + ending in refused:
                    if theirs[digest][1] is None:
                        count["refused here alone"] += 1
                        others.append(f"{path}: read by Pillow; here, {refused[digest + ending]}")
                    else:
                        count["refused by both"] += 1
                else:
                    part[digest] = files[digest]
            class_folders(folder, part, whole)
            ours = read_ours(arguments.executable, folder)
            for digest, (path, ending) in part.items():
                mine, (pixels, reason) = ours[digest + ending], theirs[digest]
                if pixels is None:
                    count["refused by Pillow alone"] += 1
                    others.append(f"{path}: read here; by Pillow, {reason}")
                elif mine.shape[:2] != pixels.shape[:2]:
                    count["of another size"] += 1
                    others.append(f"{path}: {mine.shape[:2]} here; by Pillow, {pixels.shape[:2]}")
                elif (difference := numpy.abs(mine.astype(int) - pixels).max()) > 0:
                    count["of other pixels"] += 1
                    others.append(f"{path}: differs by up to {difference}")
                else:
                    count["equal in every pixel"] += 1
    print("\n".join(others))
    for kind, number in count.most_common():
        print(f"{number:6} {kind}")
    return 1 if len(others) * 50 > sum(count.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
