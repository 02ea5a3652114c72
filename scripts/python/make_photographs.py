"""Makes a folder of JPEGs that resemble photographs: OUTPUT/train/classNN/NNNNN.jpg and OUTPUT/val/classNN/NNNNN.jpg.

For tests and benchmarks of image loading where no real photographs are at hand. What decoding costs depends on an image's
size and its bytes, so both follow ImageNet: sides of about 500 pixels in its usual shapes, quality 90 with halved colour
resolution, about 110 kB on average. The content is textures whose amplitude falls with frequency, as in photographs, on
gradients, with soft and hard shapes, parts out of focus and the noise of a sensor. A class is a palette, a direction and
fineness of texture and a number of shapes; images stray from it, so that a network has something to learn.

The same arguments and version of Pillow make the same files; the number of workers does not matter.
"""

import argparse
import dataclasses
import io
import multiprocessing
import os
import sys
import time

import numpy
from PIL import Image, ImageDraw, ImageFilter

# Width and height of the usual shapes, relative to the longer side.
SHAPES = [(1.0, 0.75), (0.75, 1.0), (1.0, 0.666), (1.0, 0.8)]
# With --fast, images are cut out of canvases that are this many times as large, a new one for this many images.
CANVAS_SCALE, CANVAS_IMAGES = 8, 500
# Images of one job.
CHUNK = 32
# What a generator is for is a part of its seed, so that no two draw the same.
CLASSES, IMAGES, CANVASES, TEXTURES = range(4)


@dataclasses.dataclass
class Look:
    """What the images of a class have in common."""

    palette: numpy.ndarray  # [3, RGB], 0 to 255
    angle: float
    waves: float  # over the longer side of an image
    shapes: float
    roundness: float  # the part of the shapes that are ellipses

    @staticmethod
    def of_class(seed, number):
        generator = numpy.random.default_rng([seed, CLASSES, number])
        return Look(palette=generator.uniform(30, 225, (3, 3)), angle=generator.uniform(0, numpy.pi),
                    waves=float(numpy.exp(generator.uniform(numpy.log(5), numpy.log(40)))),
                    shapes=generator.uniform(1, 9), roundness=generator.uniform(0, 1))

    def stray(self, generator):
        """The look of one image."""
        return Look(palette=numpy.clip(self.palette + generator.normal(0, 18, 3) + generator.normal(0, 22, (3, 3)), 10, 245),
                    angle=self.angle + generator.normal(0, 0.2), waves=self.waves * numpy.exp(generator.normal(0, 0.2)),
                    shapes=self.shapes + generator.normal(0, 1.2), roundness=self.roundness)


class Textures:
    """Square tiles of noise to cut pieces from: making noise for every image would take most of the time."""

    def __init__(self, seed, side):
        generator = numpy.random.default_rng([seed, TEXTURES])
        frequency = numpy.hypot(numpy.fft.fftfreq(side)[:, None], numpy.fft.rfftfreq(side)[None, :])
        frequency[0, 0] = 1
        # The amplitude of photographs falls about as 1 / frequency.
        self.pink = [self.filtered(generator, side, frequency ** -slope) for slope in (0.9, 1.0, 1.1, 1.2, 1.4)]
        self.smooth = self.filtered(generator, side, frequency ** -2.0)
        self.white = generator.standard_normal((side, side)).astype(numpy.float32)

    @staticmethod
    def filtered(generator, side, amplitude):
        spectrum = numpy.fft.rfft2(generator.standard_normal((side, side))) * amplitude
        spectrum[0, 0] = 0
        noise = numpy.fft.irfft2(spectrum, (side, side)).astype(numpy.float32)
        return noise / noise.std()

    @staticmethod
    def cut(generator, tile, width, height):
        """A piece of `tile`, mirrored or not, with the mean that it happens to have."""
        top = generator.integers(tile.shape[0] - height + 1)
        left = generator.integers(tile.shape[1] - width + 1)
        piece = tile[top:top + height, left:left + width]
        return piece[::generator.choice((-1, 1)), ::generator.choice((-1, 1))]

    def any_pink(self, generator, width, height):
        return self.cut(generator, self.pink[generator.integers(len(self.pink))], width, height)


def polygon(generator, radius):
    """Corners of an irregular shape around the middle of a square of side 2 * radius."""
    corners = generator.integers(3, 8)
    angles = numpy.sort(generator.uniform(0, 2 * numpy.pi, corners))
    lengths = generator.uniform(0.5, 1, corners) * radius
    return [(radius + length * numpy.cos(angle), radius + length * numpy.sin(angle))
            for angle, length in zip(angles, lengths)]


def draw_shape(canvas, generator, textures, look, unit):
    """Lays one textured shape, its edge hard or soft, over `canvas`."""
    height, width = canvas.shape[:2]
    radius = int(max(3, min(unit * generator.uniform(0.06, 0.24), width / 2 - 1, height / 2 - 1)))
    top, left = int(generator.integers(-radius, height - radius)), int(generator.integers(-radius, width - radius))
    mask = Image.new("L", (2 * radius, 2 * radius))
    if generator.random() < look.roundness:
        narrow = radius * generator.uniform(0.4, 1)
        ImageDraw.Draw(mask).ellipse((1, radius - narrow, 2 * radius - 1, radius + narrow), fill=255)
    else:
        ImageDraw.Draw(mask).polygon(polygon(generator, radius), fill=255)
    if generator.random() < 0.5:
        mask = mask.filter(ImageFilter.BoxBlur(max(1, radius * generator.uniform(0.03, 0.15))))
    rows = slice(max(0, top), min(height, top + 2 * radius))
    columns = slice(max(0, left), min(width, left + 2 * radius))
    weight = numpy.asarray(mask, dtype=numpy.float32)[rows.start - top:rows.stop - top,
                                                      columns.start - left:columns.stop - left, None] / 255
    texture = textures.any_pink(generator, weight.shape[1], weight.shape[0])[..., None]
    colour = look.palette[generator.integers(3)] + generator.normal(0, 30, 3)
    inside = texture * generator.uniform(5, 30) + colour.astype(numpy.float32)
    canvas[rows, columns] += (inside - canvas[rows, columns]) * weight


def render(generator, textures, look, width, height, unit):
    """A picture of `width` x `height` whose features are sized for images with a longer side of `unit` pixels."""
    x = numpy.arange(width, dtype=numpy.float32)[None, :] / unit
    y = numpy.arange(height, dtype=numpy.float32)[:, None] / unit
    palette = look.palette.astype(numpy.float32)
    tilt = generator.uniform(0, 2 * numpy.pi)
    slope = 0.5 + 0.5 * numpy.sin(numpy.float32(2.5) * (numpy.cos(tilt) * x + numpy.sin(tilt) * y)
                                  + numpy.float32(generator.uniform(0, 6)))
    canvas = palette[0] + slope.astype(numpy.float32)[..., None] * (palette[1] - palette[0])

    # Waves in the direction of the class, bent and fading in and out.
    bend = textures.cut(generator, textures.smooth, width, height)
    phase = numpy.float32(2 * numpy.pi * look.waves) * (numpy.cos(look.angle) * x + numpy.sin(look.angle) * y) + 3 * bend
    strength = numpy.clip(textures.cut(generator, textures.smooth, width, height), 0, None) * generator.uniform(4, 22)
    light = numpy.sin(phase.astype(numpy.float32)) * strength.astype(numpy.float32)
    # Some photographs are busy and some are plain.
    detail = float(numpy.exp(generator.normal(0, 0.45)))
    light += textures.any_pink(generator, width, height) * numpy.float32(34 * detail)
    canvas += light[..., None]
    for channel in range(3):
        canvas[..., channel] += textures.any_pink(generator, width, height) * numpy.float32(10 * detail)

    area = width * height / (0.75 * unit * unit)
    for _ in range(max(0, round(look.shapes * area))):
        draw_shape(canvas, generator, textures, look, unit)

    picture = Image.fromarray(numpy.clip(canvas, 0, 255).astype(numpy.uint8))
    focus = textures.cut(generator, textures.smooth, width, height)
    blurred = picture.filter(ImageFilter.BoxBlur(unit / 500 * generator.uniform(1, 4)))
    mask = Image.fromarray((numpy.clip(focus * 2 - 0.6, 0, 1) * 255).astype(numpy.uint8))
    picture = numpy.asarray(Image.composite(blurred, picture, mask), dtype=numpy.float32)
    grain = textures.cut(generator, textures.white, width, height) * numpy.float32(generator.uniform(5, 12))
    return numpy.clip(picture + grain[..., None], 0, 255).astype(numpy.uint8)


def encode(pixels, quality):
    file = io.BytesIO()
    # 4:2:0, as cameras and ImageNet have it.
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2)
    return file.getvalue()


def size(number, side):
    wide, high = SHAPES[number % len(SHAPES)]
    return max(1, round(wide * side)), max(1, round(high * side))


class Maker:
    """Makes the images of jobs; every worker has one."""

    def __init__(self, options):
        self.options = options
        self.scale = CANVAS_SCALE if options.fast else 1
        # Twice as large as what is cut out, and a power of two, which is fast to transform.
        self.textures = Textures(options.seed, 1 << (2 * options.side * self.scale - 1).bit_length())

    def __call__(self, job):
        """Writes the images of one class and split; returns how many bytes they take."""
        split, number, first, count = job
        options = self.options
        look = Look.of_class(options.seed, number)
        folder = os.path.join(options.partial, split, class_name(options, number))
        draw = self.cuttings if options.fast else self.pictures
        written = 0
        for index, pixels in draw(split, number, look, range(first, first + count)):
            content = encode(pixels, options.quality)
            with open(os.path.join(folder, f"{index:05}.jpg"), "wb") as file:
                file.write(content)
            written += len(content)
        return written

    def seed(self, kind, split, number, index):
        return numpy.random.default_rng([self.options.seed, kind, split == "val", number, index])

    def pictures(self, split, number, look, indices):
        """Every image drawn by itself."""
        for index in indices:
            generator = self.seed(IMAGES, split, number, index)
            width, height = size(index, self.options.side)
            yield index, render(generator, self.textures, look.stray(generator), width, height, self.options.side)

    def cuttings(self, split, number, look, indices):
        """Pieces of one large picture, brightened or darkened and mirrored."""
        generator = self.seed(CANVASES, split, number, indices.start)
        side = self.options.side * self.scale
        canvas = render(generator, self.textures, look.stray(generator), side, side, self.options.side)
        levels = numpy.arange(256)
        for index in indices:
            width, height = size(index, self.options.side)
            piece = self.textures.cut(generator, canvas, width, height)
            curve = levels * generator.uniform(0.75, 1.25) + generator.uniform(-25, 25)
            yield index, numpy.clip(curve, 0, 255).astype(numpy.uint8)[piece]


def class_name(options, number):
    return f"{options.prefix}{number:0{max(2, len(str(options.classes - 1)))}}"


def jobs(options):
    """(split, class, first image, number of images); a class's images are numbered from 0."""
    length = CANVAS_IMAGES if options.fast else CHUNK
    for split, total in (("train", options.images), ("val", options.held_out)):
        for number in range(options.classes):
            count = total // options.classes + (number < total % options.classes)
            for first in range(0, count, length):
                yield split, number, first, min(length, count - first)


maker = None


def start_worker(options):
    global maker
    maker = Maker(options)


def work(job):
    return maker(job)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="the folder to make; it must not be there")
    parser.add_argument("--images", type=int, default=2000, help="for training, over all classes")
    parser.add_argument("--held-out", type=int, help="for evaluation, over all classes (default: a tenth of --images)")
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--side", type=int, default=500, help="the longer side in pixels")
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prefix", default="class", help="what the names of class folders begin with")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--fast", action="store_true",
                        help="cut images out of larger pictures: far faster, and images of a class repeat themselves")
    options = parser.parse_args()
    if options.held_out is None:
        options.held_out = max(options.classes, options.images // 10)
    if options.classes < 1 or options.side < 8 or min(options.images, options.held_out) < options.classes:
        sys.exit("there is at least one class, an image of each class in each split, and 8 pixels a side")
    if os.path.exists(options.output):
        sys.exit(f"{options.output} is there already")
    # Only a complete folder gets the name.
    options.partial = f"{options.output}.{os.getpid()}.partial"
    for split in ("train", "val"):
        for number in range(options.classes):
            os.makedirs(os.path.join(options.partial, split, class_name(options, number)))
    started = time.monotonic()
    with multiprocessing.Pool(options.workers, start_worker, (options,)) as pool:
        written = sum(pool.imap_unordered(work, jobs(options)))
    os.rename(options.partial, options.output)
    count = options.images + options.held_out
    print(f"{count} images of {options.classes} classes, {written / count / 1000:.1f} kB each on average, "
          f"{written / 1e6:.1f} MB in all, {count / (time.monotonic() - started):.0f} images/s")


if __name__ == "__main__":
    main()
