"""Writes a safetensors file for Swift to copy, then compares the copy; scripts/check-safetensors says more."""

import os
import sys

import numpy
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

TYPES = ["bool", "uint8", "int8", "int16", "uint16", "float16", "int32", "uint32", "float32", "complex64", "float64",
         "int64", "uint64"]
SHAPES = [(), (0, 3), (1,), (5,), (2, 3), (3, 1, 2, 2)]
NAMES = ['quoted"\\/', "line\nand\ttab\x01", "größe.重み.😀", "Z", "a" * 300]


def make():
    generator = numpy.random.default_rng(5)
    tensors = {}
    for kind in TYPES:
        for shape in SHAPES:
            # Random bytes: NaN, infinities and denormal numbers are legal and must survive.
            count = int(numpy.prod(shape)) * numpy.dtype(kind).itemsize
            content = generator.integers(0, 2 if kind == "bool" else 256, count, dtype=numpy.uint8).tobytes()
            tensors[f"{kind}.{'x'.join(map(str, shape))}"] = numpy.frombuffer(content, dtype=kind).reshape(shape)
    for name in NAMES:
        tensors[name] = generator.standard_normal((2, 2)).astype(numpy.float32)
    return tensors


def main():
    action, folder = sys.argv[1:]
    written, copied = (os.path.join(folder, name) for name in ("python.safetensors", "swift.safetensors"))
    tensors = make()
    if action == "write":
        save_file(tensors, written, metadata={"format": "pt"})
        return
    # Loading validates the file by the library's own rules.
    loaded = load_file(copied)
    assert loaded.keys() == tensors.keys(), "the names differ"
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype and loaded[name].shape == tensor.shape, f"{name}: type or shape differs"
        assert loaded[name].tobytes() == tensor.tobytes(), f"{name}: bytes differ"
    with safe_open(copied, framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}, f"the metadata differs: {file.metadata()}"
    with open(written, "rb") as a, open(copied, "rb") as b:
        assert a.read() == b.read(), "the files differ"
    import safetensors
    print(f"{len(tensors)} tensors went to Swift and back; safetensors {safetensors.__version__} loads our file, and the two "
          "files are equal byte for byte")


if __name__ == "__main__":
    main()
