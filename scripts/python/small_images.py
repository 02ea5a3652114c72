"""Small data sets that checks make for themselves, so that they depend on nothing but the executable."""

import random
import struct
import zlib


def make_data(folder, side=8, classes=4, training=128, held_out=32):
    """Four IDX files of images whose class shows as a bright band in noise."""
    folder.mkdir(parents=True)
    for split, count in (("train", training), ("t10k", held_out)):
        noise = random.Random(split)
        labels = bytes(index % classes for index in range(count))
        pixels = bytes(
            (130 if row * classes // side == label else 20) + noise.randrange(100)
            for label in labels for row in range(side) for _ in range(side))
        (folder / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, side, side) + pixels)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def png(pixels, side):
    """A colour image from side * side * 3 bytes."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    rows = b"".join(b"\0" + pixels[row * side * 3:(row + 1) * side * 3] for row in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# Everything that can be varied at random.
ALL_TRANSFORMS = ("{batchSize: 16, augmentation: {randomResizedCrop: {minimumScale: 0.3}}, randAugment: {}, mixup: 0.2, cutmix: 1,"
                  " colorJitter: {brightness: 0.4, contrast: 0.3, saturation: 0.2, hue: 0.1}, lighting: {}}")


def make_pictures(folder):
    """Class folders of images of several sizes, some of which cannot be read, and a recipe with all transforms."""
    noise = random.Random(7)
    for split, count in (("train", 120), ("val", 16)):
        for index in range(count):
            side = 20 + index % 5
            picture = bytes((150 if (row < side // 2) == (index % 2 == 0) else 20) + noise.randrange(100)
                            for row in range(side) for _ in range(side * 3))
            path = folder / split / "ab"[index % 2] / f"{index:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(picture, side)[:60 if index % 17 == 3 else None])
    (folder / "recipe.yaml").write_text(ALL_TRANSFORMS)
