"""Times training steps in PyTorch, eager or compiled: the other side of `width-transfer-bench benchmark`.

Prints one JSON line with the medians in milliseconds, and the seconds that compiling took. What is timed is the same on both sides:
  forward   the gradients cleared, the network in training mode and the cross-entropy of its logits
  backward  the gradients of all parameters
  step      one step of SGD (Nesterov momentum 0.9, weight decay 1e-4)
  total     all three, as one span
stepMemory is what the process held at most, less what it held before the first step, and peakMemory all of it, in MB.
Channels-last, one fixed batch that is in memory already. On a GPU only `total` is told: the time of many steps in a row, which the
host does not wait for, by their number.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts", "python"))


class Shortcut(nn.Conv2d):
    """A strided 1×1 convolution; under 8 channels as taking the positions first, since oneDNN's own form there is wrong, crashes or hangs
    with AVX2 (oneDNN issue 6035)."""

    def __init__(self, inputs, outputs, stride):
        self.step = stride if inputs < 8 else 1
        super().__init__(inputs, outputs, 1, 1 if inputs < 8 else stride, bias=False)

    def forward(self, x):
        return super().forward(x[:, :, :: self.step, :: self.step] if self.step > 1 else x)


class Block(nn.Module):
    """The basic block of the CIFAR networks, with a projection where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(Shortcut(inputs, outputs, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + identity)


def cifar_resnet(depth, stages, classes):
    """ResNet-20 and its kin (He et al. 2016, section 4.2) with projection shortcuts; the stem is as wide as the first stage."""
    stem = stages[0]
    layers = [nn.Conv2d(3, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)]
    inputs = stem
    for stage, width in enumerate(stages):
        for block in range((depth - 2) // 6):
            layers.append(Block(inputs, width, 2 if stage > 0 and block == 0 else 1))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def make_network(name, width, stages):
    if name in ("resnet20", "resnet32", "resnet44", "resnet56"):
        stem = round(16 * width)
        return cifar_resnet(int(name[6:]), stages or (stem, 2 * stem, 4 * stem), 10), 10
    if width != 1:
        raise SystemExit("only the CIFAR networks take a width here")
    import torchvision_models

    # As a user has it: with dropout.
    return torchvision_models.torchvision.models.get_model(name, weights=None), 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", required=True)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--stages", help="channels of each stage of a CIFAR network, such as 6,15,41")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--json", action="store_true", help="accepted because the other side needs it")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    stages = tuple(map(int, options.stages.split(","))) if options.stages else None
    network, classes = make_network(options.network, options.width, stages)
    device = torch.device(options.device)
    network = network.to(device, memory_format=torch.channels_last).train()
    side = options.resolution
    images = torch.randn(options.batch_size, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (options.batch_size,), device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
    called = torch.compile(network) if options.compile else network

    def evaluate():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bfloat16"):
            logits = called(images)
        return nn.functional.cross_entropy(logits.float(), labels)

    before = resident()
    begin = time.perf_counter()
    evaluate().backward()
    optimizer.step()
    compiling = time.perf_counter() - begin
    result = {"network": options.network, "compiling": round(compiling, 2) if options.compile else 0}
    if device.type == "cpu":
        result |= on_cpu(evaluate, optimizer, options.iterations)
    else:
        result["total"] = on_device(evaluate, optimizer, options.iterations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(result | {"peakMemory": round(peak, 1), "stepMemory": round(peak - before, 1)}))


def resident():
    """The memory of this process that is in RAM, in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def on_cpu(evaluate, optimizer, iterations):
    spans = {"forward": [], "backward": [], "step": [], "total": []}
    warm_up = max(3, iterations // 10)
    for iteration in range(warm_up + iterations):
        start = time.perf_counter()
        loss = evaluate()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        optimizer.step()
        end = time.perf_counter()
        if iteration >= warm_up:
            spans["forward"].append(forward - start)
            spans["backward"].append(backward - forward)
            spans["step"].append(end - backward)
            spans["total"].append(end - start)
    return {key: round(statistics.median(values) * 1000, 4) for key, values in spans.items()}


def on_device(evaluate, optimizer, iterations):
    for count in (10, iterations):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            evaluate().backward()
            optimizer.step()
        torch.cuda.synchronize()
        taken = time.perf_counter() - start
    return round(taken * 1000 / iterations, 4)


if __name__ == "__main__":
    main()
