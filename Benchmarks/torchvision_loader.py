"""Times torchvision's loading of training images: the other side of `width-transfer-bench benchmark-images`.

Prints one JSON line with the images of one epoch and the seconds from the request of its first batch to the arrival of its
last. The epoch before, which starts the workers and brings the files into memory, is not timed. An image is decoded, a random
rectangle of it resized (at least 0.08 of the area), mirrored or not and normalized, as for training on ImageNet; the order
is random, and the last batch is left out when it is not full. Nothing is done with the batches.
"""

import argparse
import json
import os
import sys
import time

import torch
from torch.utils.data import DataLoader

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts", "python"))

import torchvision_models  # noqa: E402,F401

from torchvision import datasets, io, transforms  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# What sysexits.h calls EX_UNAVAILABLE.
UNAVAILABLE = 69


def pillow(folder, resolution):
    """Pillow decodes and resizes: what torchvision's own reference training does by default."""
    return datasets.ImageFolder(folder, transforms.Compose([
        transforms.RandomResizedCrop(resolution), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize(MEAN, DEVIATION)]))


def decode(path):
    return io.decode_image(io.read_file(path), io.ImageReadMode.RGB)


def tensors(folder, resolution):
    """torchvision's own decoder, and transforms on tensors of bytes."""
    try:
        io.encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))
    except (RuntimeError, AttributeError):
        print("this torchvision has no image decoder of its own (the wheel for the CPU has one), so --backend v2 cannot run",
              file=sys.stderr)
        sys.exit(UNAVAILABLE)
    return datasets.ImageFolder(folder, v2.Compose([
        v2.RandomResizedCrop(resolution, antialias=True), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, DEVIATION)]), loader=decode)


BACKENDS = {"pillow": pillow, "v2": tensors}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="the folder of class folders, usually named train")
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes that load images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--backend", choices=BACKENDS, default="pillow")
    parser.add_argument("--json", action="store_true", help="accepted because the other side needs it")
    options = parser.parse_args()

    # DataLoader gives each of its workers one thread; this is for --workers 0.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    loader = DataLoader(
        BACKENDS[options.backend](options.dataset, options.resolution), batch_size=options.batch_size, shuffle=True,
        generator=torch.Generator().manual_seed(0), drop_last=True, num_workers=options.workers,
        persistent_workers=options.workers > 0)
    for _ in range(2):
        images = 0
        started = time.perf_counter()
        for batch, _ in loader:
            images += len(batch)
        seconds = time.perf_counter() - started
    if not images:
        sys.exit(f"a batch of {options.batch_size} is never full with {len(loader.dataset)} images")
    print(json.dumps({"images": images, "seconds": round(seconds, 6), "imagesPerSecond": round(images / seconds, 2)}))


if __name__ == "__main__":
    main()
