"""Imports torchvision without its compiled operators."""

import torch

# The wheel of PyPI is a CUDA build, whose operators do not load beside a torch for the CPU. torchvision wants the two names
# to exist when it is imported; none of its classification models calls them.
_library = torch.library.Library("torchvision", "FRAGMENT")
for _signature in (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
):
    try:
        _library.define(_signature)
    except RuntimeError:
        pass  # A torchvision whose operators did load.

import torchvision  # noqa: E402


def model(name, **arguments):
    """The torchvision model of that name with random weights, and dropout and stochastic depth switched off."""
    network = torchvision.models.get_model(name, weights=None, **arguments)
    for module in network.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    return network


def resolution(name):
    """The side of the images that the model is made for."""
    sides = {"efficientnet_b1": 240, "efficientnet_b2": 288, "efficientnet_b3": 300, "efficientnet_b4": 380,
             "efficientnet_b5": 456, "efficientnet_b6": 528, "efficientnet_b7": 600}
    return sides.get(name, 224)
