"""Times training steps in eager PyTorch: the other side of `width-transfer-bench benchmark`.

Prints one JSON line with the medians in milliseconds. What is timed is the same on both sides:
  forward   the gradients cleared, the network in training mode and the cross-entropy of its logits
  backward  the gradients of all parameters
  step      one step of SGD (Nesterov momentum 0.9, weight decay 1e-4)
  total     all three, as one span
float32, channels-last, one fixed batch that is in memory already.
"""

import argparse
import json
import os
import statistics
import sys
import time

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts", "python"))


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
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + identity)


def cifar_resnet(depth, stem, classes):
    """ResNet-20 and its kin (He et al. 2016, section 4.2) with projection shortcuts."""
    layers = [nn.Conv2d(3, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)]
    inputs = stem
    for stage, width in enumerate((stem, 2 * stem, 4 * stem)):
        for block in range((depth - 2) // 6):
            layers.append(Block(inputs, width, 2 if stage > 0 and block == 0 else 1))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def make_network(name, width):
    if name in ("resnet20", "resnet32", "resnet44", "resnet56"):
        return cifar_resnet(int(name[6:]), round(16 * width), 10), 10
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
    parser.add_argument("--json", action="store_true", help="accepted because the other side needs it")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network, classes = make_network(options.network, options.width)
    network = network.to(memory_format=torch.channels_last).train()
    side = options.resolution
    images = torch.randn(options.batch_size, 3, side, side).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (options.batch_size,))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)

    spans = {"forward": [], "backward": [], "step": [], "total": []}
    warm_up = max(3, options.iterations // 10)
    for iteration in range(warm_up + options.iterations):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(network(images), labels)
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
    medians = {key: round(statistics.median(values) * 1000, 4) for key, values in spans.items()}
    mean = statistics.fmean(spans["total"]) * 1000
    print(json.dumps({"network": options.network, **medians, "mean": round(mean, 4)}))


if __name__ == "__main__":
    main()
