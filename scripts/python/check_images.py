"""Compares the images that width-transfer reads with Pillow's and torchvision's; scripts/check-images --help says more.

Where the reference departs from `Image.open(path).convert("RGB")`, and why:
  - an orientation in the EXIF data is applied, by `ImageOps.exif_transpose`;
  - of 16-bit grey samples the upper 8 bits are taken, as Pillow does for 16-bit colour. Its conversion of 16-bit grey clips at
    255 instead, which leaves almost nothing but white.
No kind of image is allowed to differ: both sides decode JPEG by libjpeg-turbo with its accurate transform, which gives the
same numbers in every version, and the rest is copying and whole numbers.

Resizing may be off by one level: LibTorch weighs bytes with numbers of 16 bits, by kernels that differ with the layout in
memory and the processor, and Pillow with longer numbers.
"""

import argparse
import io
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy
import torch
from PIL import Image, ImageOps
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_weights

import make_photographs
import torchvision_models

from torchvision import datasets
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

RESOLUTIONS = [64, 160, 224]
RESIZING_TOLERANCE = 1
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Columns and rows of the seven passes of an interlaced PNG: first column, first row, column step, row step.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
PNG_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels
ORIENTATION = 0x0112


# Images of all kinds


def picture(width, height, seed=0):
    """Pixels like a photograph's, [height, width, 3]."""
    generator = numpy.random.default_rng([seed, width, height])
    textures = make_photographs.Textures(seed, 1 << (max(width, height, 64) - 1).bit_length())
    look = make_photographs.Look.of_class(seed, 1)
    return make_photographs.render(generator, textures, look, width, height, max(width, height))


def saved(pixels, format, mode="RGB", **settings):
    """The file that Pillow makes of pixels after converting them to `mode`."""
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, format, **settings)
    return file.getvalue()


def jpeg(pixels, mode="RGB", **settings):
    return saved(pixels, "JPEG", mode, **{"quality": 90, "subsampling": "4:2:0", **settings})


def turned(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def png(samples, depth, interlaced=False):
    """A PNG file of `samples` [height, width, channels]; Pillow writes neither interlaced images nor all depths."""
    height, width, channels = samples.shape

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    def rows(part):
        bits = part[..., None].astype(numpy.uint32) >> numpy.arange(depth - 1, -1, -1, dtype=numpy.uint32) & 1
        packed = numpy.packbits(bits.reshape(len(part), -1).astype(numpy.uint8), axis=1)
        return b"".join(b"\0" + row.tobytes() for row in packed)

    parts = [samples[top::down, left::right] for left, top, right, down in ADAM7] if interlaced else [samples]
    header = struct.pack(">IIBBBBB", width, height, depth, PNG_COLOURS[channels], 0, 0, interlaced)
    content = zlib.compress(b"".join(rows(part) for part in parts if part.size))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def kinds():
    """(class, extension, what it is, content of the file)."""
    # Sides that are no multiples of a block, nor of the halved colour samples.
    photo = picture(97, 67)
    generator = numpy.random.default_rng(0)
    deep = generator.integers(0, 1 << 16, (67, 97, 4))
    alpha = numpy.dstack([photo, generator.integers(0, 256, photo.shape[:2], dtype=numpy.uint8)])
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield "jpeg", "jpg", f"JPEG {subsampling}", jpeg(photo, subsampling=subsampling)
        yield "jpeg", "jpg", f"progressive JPEG {subsampling}", jpeg(photo, subsampling=subsampling, progressive=True)
    yield "jpeg", "jpeg", "JPEG of quality 20", jpeg(photo, quality=20)
    yield "jpeg", "JPG", "JPEG of quality 100", jpeg(photo, quality=100)
    yield "jpeg", "jpg", "grey JPEG", jpeg(photo, "L")
    yield "jpeg", "jpg", "progressive grey JPEG", jpeg(photo, "L", progressive=True)
    yield "jpeg", "jpg", "CMYK JPEG", jpeg(photo, "CMYK")
    yield "jpeg", "jpg", "JPEG that stores RGB", jpeg(photo, subsampling="4:4:4", keep_rgb=True)
    yield "jpeg", "jpg", "JPEG with restart markers", jpeg(photo, restart_marker_blocks=3)
    for orientation in range(1, 9):
        yield "jpeg", "jpg", f"JPEG, EXIF orientation {orientation}", jpeg(photo, exif=turned(orientation))
    for width, height in ((1, 1), (3, 700), (4001, 5)):
        yield "jpeg", "jpg", f"JPEG of {width}×{height}", jpeg(picture(width, height))
        yield "png", "png", f"PNG of {width}×{height}", saved(picture(width, height), "PNG")
    for mode, name in (("L", "grey"), ("LA", "grey and alpha"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("P", "palette"),
                       ("1", "1-bit")):
        yield "png", "png", f"PNG, {name}", saved(alpha, "PNG", mode)
    yield "png", "png", "PNG, 4-bit palette", saved(photo, "PNG", "P", bits=4)
    yield "png", "png", "PNG, palette with alpha", saved(photo, "PNG", "P", transparency=bytes(range(256)))
    yield "png", "png", "PNG, palette, one entry clear", saved(photo, "PNG", "P", transparency=7)
    yield "png", "png", "PNG, grey, one level clear", saved(photo, "PNG", "L", transparency=100)
    yield "png", "png", "PNG, RGB, one colour clear", saved(photo, "PNG", "RGB", transparency=tuple(map(int, photo[5, 5])))
    for depth in (2, 4):
        yield "png", "png", f"PNG, {depth}-bit grey", png(photo[..., :1] >> (8 - depth), depth)
    for channels, name in ((1, "grey"), (2, "grey and alpha"), (3, "RGB"), (4, "RGBA")):
        yield "png", "png", f"PNG, 16-bit {name}", png(deep[..., :channels], 16)
        yield "png", "png", f"PNG, interlaced {name}", png(alpha[..., :channels], 8, interlaced=True)
    yield "png", "png", "PNG, interlaced 1-bit grey", png(photo[..., :1] >> 7, 1, interlaced=True)
    yield "png", "png", "PNG, interlaced 16-bit RGB", png(deep[..., :3], 16, interlaced=True)
    yield "png", "png", "PNG, interlaced, 2×3", png(photo[:3, :2], 8, interlaced=True)
    yield "png", "png", "PNG, EXIF orientation 6", saved(photo, "PNG", exif=turned(6))
    yield "wrong-names", "JPEG", "PNG named .JPEG", saved(photo, "PNG")
    yield "wrong-names", "png", "JPEG named .png", jpeg(photo)


def make_kinds(folder):
    """Writes the images as a data set; returns [(kind, path, label)] in its order."""
    made = []
    for number, (name, extension, kind, content) in enumerate(kinds()):
        for split in ("train", "val"):
            os.makedirs(os.path.join(folder, split, name), exist_ok=True)
            path = os.path.join(folder, split, name, f"{number:03}.{extension}")
            with open(path, "wb") as file:
                file.write(content)
            if split == "train":
                made.append((name, path, kind))
    labels = {name: label for label, name in enumerate(sorted({name for name, _, _ in made}))}
    return [(kind, path, labels[name]) for name, path, kind in sorted(made)]


# Both sides


def read_ours(executable, dataset, *flags):
    """What `read-images` writes: images by their number, and the labels."""
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "images.safetensors")
        subprocess.run([f"{executable}-bench", "read-images", "--dataset", dataset, "--split", "training", "--output", output, *flags],
                       check=True, stdout=sys.stderr)
        tensors = load_file(output)
    labels = tensors.pop("labels")
    return [tensors[f"{index:05}"] for index in range(len(tensors))], labels


def read_pillow(path):
    """The image as Pillow has it, in colour."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):
        return Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8)).convert("RGB")
    return image.convert("RGB")


def fit(image, resolution, short_side):
    """The part of a Pillow image or tensor that evaluation sees."""
    image = transforms.resize(image, short_side, InterpolationMode.BILINEAR, antialias=True)
    return transforms.center_crop(image, [resolution, resolution])


def fit_tensor(image, resolution, short_side):
    """The same by torchvision's way of tensors, [height, width, 3]."""
    return fit(transforms.pil_to_tensor(image), resolution, short_side).permute(1, 2, 0).numpy()


def evaluated_short_side(resolution):
    """What the short side of photographs becomes before the middle is cut out: 256 for 224."""
    return round(resolution * 8 / 7)


class Differences:
    """What is found over some images."""

    def __init__(self):
        self.largest, self.sum, self.count = 0, 0.0, 0

    def add(self, ours, theirs):
        if ours.shape != theirs.shape or ours.dtype != numpy.uint8:
            self.largest = math.inf
            return
        difference = numpy.abs(ours.astype(numpy.int64) - theirs)
        self.largest = max(self.largest, int(difference.max()))
        self.sum += difference.sum()
        self.count += difference.size

    @property
    def mean(self):
        return self.sum / self.count if self.count else math.inf


# Checks


def check_decoding(executable):
    print("Decoding, in levels of 0 to 255, against Pillow; nothing may differ:")
    print(f"{'':<34}{'largest':>9}{'mean':>9}")
    with tempfile.TemporaryDirectory() as folder:
        made = make_kinds(folder)
        images, labels = read_ours(executable, folder)
        passed = labels.dtype == numpy.int64 and labels.tolist() == [label for _, _, label in made]
        if not passed or len(images) != len(made):
            print(f"{len(images)} images with the labels {labels.tolist()} were read; {len(made)} were made   FAILED")
            return False
        for (kind, path, _), ours in zip(made, images):
            found = Differences()
            found.add(ours, numpy.asarray(read_pillow(path)))
            note = "ok" if found.largest == 0 else "FAILED"
            if found.largest == math.inf:
                note = f"{ours.dtype} {list(ours.shape)}, Pillow has {list(numpy.asarray(read_pillow(path)).shape)}   FAILED"
            passed &= found.largest == 0
            print(f"{kind:<34}{found.largest:>9}{found.mean:>9.4f}   {note}")
    return passed


def photographs(folder, *flags):
    subprocess.run([sys.executable, make_photographs.__file__, "--output", folder, *map(str, flags)],
                   check=True, stdout=sys.stderr)


def convert_to_png(source, target):
    """The same images without anything that could be decoded at a smaller scale."""
    for split in ("train", "val"):
        for path, _ in datasets.ImageFolder(os.path.join(source, split)).samples:
            output = os.path.join(target, os.path.relpath(os.path.splitext(path)[0], source) + ".png")
            os.makedirs(os.path.dirname(output), exist_ok=True)
            Image.open(path).save(output, compress_level=1)


def long_images(folder):
    """Images far longer than wide, either way."""
    sizes = [(17, 400), (613, 31), (1801, 40), (23, 997), (5, 1000), (3001, 100)]
    for split in ("train", "val"):
        for number, (width, height) in enumerate(sizes):
            os.makedirs(os.path.join(folder, split, "ab"[number % 2]), exist_ok=True)
            content = saved(picture(width, height, number), "PNG")
            with open(os.path.join(folder, split, "ab"[number % 2], f"{number}.png"), "wb") as file:
                file.write(content)


def check_resizing(executable):
    print("\nResized to 8/7 of the resolution and cut, in levels of 0 to 255, against torchvision on tensors and on Pillow's "
          "images.")
    print(f"The limit is {RESIZING_TOLERANCE}.")
    print(f"{'':<32}{'tensors':>18}{'Pillow':>18}")
    print(f"{'images':<18}{'pixels':>7}{'number':>7}" + f"{'largest':>9}{'mean':>9}" * 2)
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        sets = {name: os.path.join(folder, name) for name in ("JPEG of 500", "JPEG of 1000", "PNG of 500", "17:1 to 200:1")}
        photographs(sets["JPEG of 500"], "--images", 16, "--held-out", 2, "--classes", 2)
        photographs(sets["JPEG of 1000"], "--images", 8, "--held-out", 2, "--classes", 2, "--side", 1000)
        convert_to_png(sets["JPEG of 500"], sets["PNG of 500"])
        long_images(sets["17:1 to 200:1"])
        for name, dataset in sets.items():
            paths = [path for path, _ in datasets.ImageFolder(os.path.join(dataset, "train")).samples]
            for resolution in RESOLUTIONS:
                passed &= check_resizing_to(resolution, executable, name, dataset, paths)
    return passed


def check_resizing_to(resolution, executable, name, dataset, paths):
    short_side = evaluated_short_side(resolution)
    images, _ = read_ours(executable, dataset, "--resolution", str(resolution))
    tensors, pillow = Differences(), Differences()
    for path, ours in zip(paths, images, strict=True):
        reference = read_pillow(path)
        tensors.add(ours, fit_tensor(reference, resolution, short_side))
        pillow.add(ours, numpy.asarray(fit(reference, resolution, short_side)))
    passed = max(tensors.largest, pillow.largest) <= RESIZING_TOLERANCE
    print(f"{name:<18}{resolution:>7}{len(images):>7}" + "".join(f"{one.largest:>9}{one.mean:>9.4f}" for one in (tensors, pillow))
          + f"   {'ok' if passed else 'FAILED'}")
    return passed


def held_out_folder(dataset):
    for name in ("val", "test", "validation"):
        if os.path.isdir(os.path.join(dataset, name)) and os.path.isdir(os.path.join(dataset, "train")):
            return os.path.join(dataset, name)
    sys.exit(f"{dataset} needs the folders train and val with class folders in them")


def are_small_of_one_size(paths):
    """Whether ours takes images as they are, without cutting margins: judged by sixteen of them, as ours does."""
    number = min(16, len(paths))
    sizes = {Image.open(paths[index * len(paths) // number]).size for index in range(number)}
    return len(sizes) == 1 and max(sizes.pop()) <= 96


def predict(network, paths, resolution, short_side):
    """The classes that torchvision's network finds."""
    found = []
    for start in range(0, len(paths), 64):
        batch = []
        for path in paths[start:start + 64]:
            image = fit(read_pillow(path), resolution, short_side)
            batch.append(transforms.normalize(transforms.to_tensor(image), MEAN, DEVIATION))
        with torch.no_grad():
            found.append(network(torch.stack(batch)).argmax(1))
    return torch.cat(found)


def check_top1(executable, dataset, options):
    held_out = datasets.ImageFolder(held_out_folder(dataset))
    paths, labels = [path for path, _ in held_out.samples], torch.tensor(held_out.targets)
    with tempfile.TemporaryDirectory() as folder:
        shared = ["--network", "resnet18", "--dataset", dataset, "--resolution", str(options.resolution),
                  "--threads", str(options.threads), "--loader-threads", str(options.threads), "--json"]
        run = os.path.join(folder, "run")
        subprocess.run([executable, "train", *shared, "--epochs", str(options.epochs), "--batch-size", "64",
                        "--learning-rate", "0.02", "--output", run], check=True, stdout=sys.stderr)
        weights = os.path.join(run, "model.safetensors")
        evaluated = json.loads(subprocess.run([executable, "evaluate", *shared, "--weights", weights], check=True,
                                              stdout=subprocess.PIPE).stdout)
        network = torchvision_models.model("resnet18", num_classes=len(held_out.classes)).eval()
        network.load_state_dict(load_weights(weights))
    whole = are_small_of_one_size(paths)
    short_side = options.resolution if whole else evaluated_short_side(options.resolution)
    right = int((predict(network, paths, options.resolution, short_side) == labels).sum())
    images, ours = len(paths), round(evaluated["top1"] / 100 * evaluated["images"])
    limit = max(1, images // 1000)
    print(f"\nTop-1 of resnet18 after {options.epochs} epochs at {options.resolution} pixels on {images} held-out images; at most "
          f"{limit} image(s) may be between the two:")
    print(f"{'ours':<42}{ours:>7} right{100 * ours / images:>9.2f}%")
    print(f"{'torchvision':<42}{right:>7} right{100 * right / images:>9.2f}%")
    passed = evaluated["images"] == images and abs(ours - right) <= limit
    print("ok" if passed else "FAILED")
    return passed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--top1", nargs="?", const="", metavar="DATASET")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    # Pillow's advice on the palettes with alpha among the images.
    warnings.filterwarnings("ignore", "Palette images with Transparency")
    if options.top1 is None:
        decoded = check_decoding(options.executable)
        passed = check_resizing(options.executable) and decoded
    elif options.top1:
        passed = check_top1(options.executable, options.top1, options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            dataset = os.path.join(folder, "photographs")
            photographs(dataset, "--images", 2000, "--held-out", 1000, "--classes", 20)
            passed = check_top1(options.executable, dataset, options)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
