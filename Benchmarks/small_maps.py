"""Depthwise convolutions of maps smaller than their filter in PyTorch, whose kernels are ours: all three passes as they are, and with
zeros laid around the map until it is as large as the filter (0 stands for the plain form).
"""

import argparse
import time

import torch
import torch.nn.functional as functional

# channels, side of the map, side of the filter, stride: EfficientNet-B0 at 64 pixels, and others.
CASES = [(1152, 2, 3, 1), (1152, 2, 5, 1), (672, 4, 5, 2), (672, 4, 5, 1), (480, 4, 5, 1), (480, 4, 3, 1), (240, 8, 5, 1), (96, 4, 7, 1)]


def milliseconds(body, runs=10):
    body()
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        body()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for channels, side, kernel, stride in CASES:
        images = torch.randn(options.batch_size, channels, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
        weights = torch.randn(channels, 1, kernel, kernel, requires_grad=True)

        def run(zeros):
            images.grad = weights.grad = None
            larger = functional.pad(images, (zeros,) * 4) if zeros else images
            functional.conv2d(larger, weights, None, stride, kernel // 2 - zeros, 1, channels).sum().backward()

        times = [(zeros, milliseconds(lambda zeros=zeros: run(zeros))) for zeros in range(kernel // 2 + 1)]
        print(f"{channels:>5} channels, {side}² by {kernel}², stride {stride}: "
              + ", ".join(f"{zeros} zeros {found:.2f} ms" for zeros, found in times), flush=True)


if __name__ == "__main__":
    main()
