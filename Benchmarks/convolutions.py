"""Times the three passes of a convolution for each number of channels, in both memory layouts: what a width costs.

Prints a line a width: milliseconds of forward, gradient of the input and gradient of the weights, channels-last, the nanoseconds a
thousand multiply-accumulates that this is, and the milliseconds of the same in the plain layout. ONEDNN_MAX_CPU_ISA=AVX2 shows the
kernels of a processor without AVX-512. Needs torch alone.
"""

import argparse
import os
import statistics
import time

import torch

WIDTHS = [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 41, 48]


def milliseconds(work):
    work()
    begin = time.perf_counter()
    work()
    count = max(3, min(40, int(0.08 / (time.perf_counter() - begin))))
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1e3


def passes(channels, side, kernel, batch, layout):
    images = torch.randn(batch, channels, side, side).contiguous(memory_format=layout)
    weight = torch.randn(channels, channels, kernel, kernel).contiguous(memory_format=layout)
    padding = kernel // 2

    def backward(wanted):
        return torch.ops.aten.convolution_backward(
            gradient, images, weight, None, [1, 1], [padding, padding], [1, 1], False, [0, 0], 1, wanted)

    def forward():
        return torch.conv2d(images, weight, None, 1, padding)

    gradient = torch.randn_like(forward())
    return [milliseconds(forward), milliseconds(lambda: backward([True, False, False])),
            milliseconds(lambda: backward([False, True, False]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    for kernel, side in [(3, 32), (3, 16), (1, 32)]:
        print(f"{kernel}×{kernel}, {options.batch_size} images of {side}²: channels, channels-last ms | ns a kMAC | plain ms")
        for channels in WIDTHS:
            work = options.batch_size * side * side * channels * channels * kernel * kernel / 1e6
            last = passes(channels, side, kernel, options.batch_size, torch.channels_last)
            plain = passes(channels, side, kernel, options.batch_size, torch.contiguous_format)
            columns = [" ".join(f"{value:7.2f}" for value in values) for values in (last, [1e3 * v / work for v in last], plain)]
            print(f"{channels:4d} " + " | ".join(columns), flush=True)


if __name__ == "__main__":
    main()
