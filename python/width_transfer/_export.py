"""PyTorch modules as ONNX files that width-transfer reads."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import warnings
from typing import TYPE_CHECKING, Any

from ._program import WidthTransferError, call

if TYPE_CHECKING:
    import torch

__all__ = ["export", "inspect"]


def inspect(network: str | os.PathLike[str], *words: str) -> dict[str, Any]:
    """Layers, shapes, width groups, stages and costs of a network: `width-transfer inspect --json`.

    Args:
        network: A name of the zoo, or a file.
        words: Further flags, for example `"--resolution", "64"`.
    """
    return json.loads(call(["inspect", "--network", network, "--json", *words], quiet=True))


def export(model: torch.nn.Module, example_input: torch.Tensor, path: str | os.PathLike[str], *, check: bool = True) -> pathlib.Path:
    """Writes a module as an ONNX file for width-transfer, batch normalizations kept and tensors under their names in the state dict.

    Args:
        model: An image classifier. It is exported as in evaluation, and left as it was.
        example_input: Images, `[N, C, H, W]`; their size is the network's.
        path: The file to write.
        check: Whether to make sure that the file is read with the module's multiply-accumulates and parameters.

    Raises:
        WidthTransferError: When the file cannot be read, or is read with other costs; the message names the node, or both numbers.
    """
    import torch

    if importlib.util.find_spec("onnx") is None:
        raise WidthTransferError("PyTorch writes ONNX files with the package onnx, which is not here: pip install onnx", 69)
    path = pathlib.Path(path)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        counts = _multiply_accumulates(model, example_input[:1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model, (example_input[:1],), str(path), dynamo=False, opset_version=17,
                              training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, input_names=["input"],
                              output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
    finally:
        for module, mode in modes.items():
            module.training = mode
    if check:
        found = inspect(path)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        if found["macs"] not in counts or found["parameters"] != parameters:
            raise WidthTransferError(
                f"{path} is read as {found['macs']} multiply-accumulates and {found['parameters']} parameters, and the module has "
                f"{counts[0]} and {parameters}: a part of it is not in its output, or is not what it seems; check=False takes it all the "
                "same")
    return path


def _multiply_accumulates(model: torch.nn.Module, images: torch.Tensor) -> tuple[int, int]:
    """Those of convolutions and linear layers for one image, biases not counted; and those of all products, as PyTorch counts them: fixed
    filters and attention are among the second alone, what a kernel does without a product among the first."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    total = 0

    def count(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, (torch.nn.Conv1d, torch.nn.Conv2d)):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, torch.nn.Linear):
            total += output.numel() * module.in_features

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return total, counter.get_total_flops() // 2
