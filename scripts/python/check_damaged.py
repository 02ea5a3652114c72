"""Compares which damaged JPEG files width-transfer and Pillow refuse; scripts/check-damaged --help says more.

A bit or some bytes are changed, cut out, put in, doubled or zeroed, the file is cut, or a mark of the end is put into
the image.
"""

import argparse
import collections
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

KINDS = ["bit", "bit in the scan", "bytes", "cut", "cut out", "put in", "zeroed", "end", "doubled"]


def whole_file(number):
    """A JPEG file with nothing wrong, of one of forty forms."""
    draw = random.Random(number)
    width, height = draw.randint(40, 200), draw.randint(40, 200)
    rows, columns = np.mgrid[0:height, 0:width]
    colours = np.stack([(columns * 3 + number * 20) % 256, (rows * 2) % 256, (columns + rows) % 256], -1)
    noise = np.random.default_rng(number).integers(0, 60, colours.shape)
    image = Image.fromarray((colours + noise).clip(0, 255).astype(np.uint8))
    more = {}
    if number % 3 == 0:
        preview = io.BytesIO()
        image.resize((24, 24)).save(preview, "JPEG")
        more["exif"] = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + preview.getvalue()
    if number % 5 == 2:
        more["restart_marker_rows"] = 1
    file = io.BytesIO()
    image.save(
        file, "JPEG", quality=draw.choice([50, 75, 95]), progressive=number % 4 == 1,
        subsampling=draw.choice([0, 1, 2]), **more)
    return file.getvalue()


def damaged(content, draw):
    """The file with one kind of damage, and the kind."""
    kind = draw.choice(KINDS)
    file = bytearray(content)
    count, scan = len(file), file.rindex(b"\xff\xda") + 14
    at = draw.randrange(2, count)
    if kind == "bit":
        file[at] ^= 1 << draw.randrange(8)
    elif kind == "bit in the scan":
        file[draw.randrange(scan, count)] ^= 1 << draw.randrange(8)
    elif kind == "bytes":
        for _ in range(8):
            file[draw.randrange(2, count)] = draw.randrange(256)
    elif kind == "cut":
        del file[draw.randrange(20, count):]
    elif kind == "cut out":
        del file[at:at + draw.randint(1, 40)]
    elif kind == "put in":
        file[at:at] = draw.randbytes(draw.randint(1, 20))
    elif kind == "zeroed":
        length = min(draw.randint(1, 60), count - at)
        file[at:at + length] = bytes(length)
    elif kind == "end":
        at = draw.randrange(scan, count)
        file[at:at] = b"\xff\xd9"
    else:
        file[at:at] = file[at:at + draw.randint(1, 200)]
    return kind, bytes(file)


def pillow_reads(path):
    """Whether Pillow decodes a file, and what it says if not."""
    try:
        Image.open(path).convert("RGB")
        return True, ""
    except Exception as error:  # of many kinds
        return False, str(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--files", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("train/a", "train/b", "val/a", "val/b"):
            (folder / part).mkdir(parents=True)
        for part in ("val/a", "val/b"):
            (folder / part / "whole.jpg").write_bytes(whole_file(1))
        files = {}
        for number in range(arguments.files):
            kind, content = damaged(whole_file(number % 40), draw)
            path = folder / "train" / "ab"[number % 2] / f"{number:06}.jpg"
            path.write_bytes(content)
            files[str(path)] = (kind, *pillow_reads(path))
        command = [arguments.executable, "data", "verify", str(folder), "--json"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        found = json.loads(answer.stdout)
    refused = {fault["file"]: fault["reason"] for fault in found["faults"]}
    table, others = collections.Counter(), []
    for path, (kind, reads, why) in files.items():
        same = reads == (path not in refused)
        table[(kind, "same" if same else "other")] += 1
        if not same:
            there, here = "it is read" if reads else why, refused.get(path, "it is read")
            others.append(f"{pathlib.Path(path).name} ({kind}): by Pillow, {there}; here, {here}")
    for kind in KINDS:
        print(f"{kind:16}{table[(kind, 'same')]:6} judged alike, {table[(kind, 'other')]} otherwise")
    print("\n".join(others))
    by_pillow = sum(not reads for _, reads, _ in files.values())
    print(f"{len(files) - len(others)} of {len(files)} alike; {by_pillow} are refused by Pillow")
    sys.exit(1 if len(others) * 1000 > len(files) else 0)


if __name__ == "__main__":
    main()
