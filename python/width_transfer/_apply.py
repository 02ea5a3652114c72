"""A module of one's own at other widths."""

from __future__ import annotations

import copy
import json
import math
import os
import pathlib
import tempfile
import traceback
from typing import TYPE_CHECKING, Any, Mapping

from ._export import export, inspect
from ._program import WidthTransferError, call

if TYPE_CHECKING:
    import torch

__all__ = ["apply"]


def apply(model: torch.nn.Module, widths: Mapping[str, int] | str | os.PathLike[str], example_input: torch.Tensor, *,
          check: bool = True) -> torch.nn.Module:
    """A copy of a module with its layers rebuilt at other widths and freshly initialized, for training code of one's own.

    Which layers change with a width follows from the module's graph, as `export` writes it.

    Args:
        model: The module whose widths were searched; it is left as it was.
        widths: Channels by width group, as `Result.widths`, or the path of a `widths.json`.
        example_input: Images `[N, C, H, W]`, as the widths were searched for.
        check: As of `export`.

    Raises:
        WidthTransferError: When the widths are another network's, or the module's code depends on widths; the message names the line.
    """
    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        exported = export(model, example_input, folder / "network.onnx", check=check)
        if isinstance(widths, Mapping):
            chosen = folder / "widths.json"
            chosen.write_text(json.dumps({"network": "network", "widths": dict(widths)}))
        else:
            chosen = folder / "widths.json"
            file = json.loads(pathlib.Path(widths).read_text())
            chosen.write_text(json.dumps({"network": "network", "widths": file["widths"]}))
        call(["export", "--network", exported, "--widths", chosen, "--output", folder / "narrow.safetensors"], quiet=True)
        shapes = {name: tuple(tensor.shape) for name, tensor in load_file(folder / "narrow.safetensors").items()}
        cost = inspect(exported, "--widths", str(chosen))
    changed = copy.deepcopy(model)
    for name, module in changed.named_modules():
        _rebuild(name, module, shapes)
    _require_shapes(changed, shapes)
    _require_forward(changed, example_input[:1], cost)
    return changed


def _rebuild(name: str, module: torch.nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Gives a layer the channels of its tensors."""
    import torch
    from torch import nn

    own = {key: shapes.get(f"{name}.{key}" if name else key) for key, _ in module.named_parameters(recurse=False)}
    if all(shape is None or shape == tuple(getattr(module, key).shape) for key, shape in own.items()):
        # Of its own size, but among new layers: what it has learnt is of no use there.
        if own and hasattr(module, "reset_parameters"):
            _begin(name, module, {key: getattr(module, key) for key in own})
        return
    former = {key: getattr(module, key) for key in own}
    if isinstance(module, nn.Conv2d):
        outputs, inputs = own["weight"][:2]  # type: ignore[index]
        if isinstance(getattr(module, "scale", None), float):
            # Filters that are standardized are scaled by the root of what they read.
            module.scale *= (former["weight"].shape[1] / inputs) ** 0.5
        groups = outputs if module.groups == module.in_channels == module.out_channels else module.groups
        module.out_channels, module.in_channels, module.groups = outputs, inputs * groups, groups
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = own["weight"]  # type: ignore[misc]
    elif isinstance(module, nn.modules.batchnorm._BatchNorm):
        module.num_features = own["weight"][0]  # type: ignore[index]
        if module.track_running_stats:
            module.running_mean = module.running_mean.new_zeros(module.num_features)
            module.running_var = module.running_var.new_ones(module.num_features)
    elif isinstance(module, nn.GroupNorm):
        module.num_channels = own["weight"][0]  # type: ignore[index]
    elif isinstance(module, nn.LayerNorm):
        module.normalized_shape = tuple(own["weight"])  # type: ignore[arg-type]
    for key, shape in own.items():
        parameter = getattr(module, key)
        if shape is None or shape == tuple(parameter.shape):
            continue
        setattr(module, key, nn.Parameter(torch.empty(shape, dtype=parameter.dtype, device=parameter.device),
                                          requires_grad=parameter.requires_grad))
    resets = hasattr(module, "reset_parameters")
    _begin(name, module, {key: value for key, value in former.items() if resets or value is not getattr(module, key)})


def _begin(name: str, module: torch.nn.Module, former: Mapping[str, torch.Tensor]) -> None:
    """Initializes a layer as its module does, and what that leaves out with the number that all of it had: a layer's scale, for example."""
    import torch

    with torch.no_grad():
        # Some of them are the parameters themselves.
        former = {key: value.detach().clone() for key, value in former.items()}
        for key in former:
            getattr(module, key).fill_(math.nan)
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        for key, value in former.items():
            parameter = getattr(module, key)
            if not parameter.isnan().any():
                continue
            if value.unique().numel() > 1:
                raise WidthTransferError(
                    f"{name}.{key} of {type(module).__name__} has learnt unequal numbers, and nobody says how it is initialized: apply "
                    "widths to a module that is not trained")
            parameter.fill_(0.0 if value.numel() == 0 else float(value.flatten()[0]))


def _require_shapes(model: torch.nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, tensor in model.state_dict().items():
        wanted = shapes.get(name)
        if wanted is not None and tuple(tensor.shape) != wanted:
            raise WidthTransferError(f"{name} would have to become {list(wanted)}, and a module of its kind cannot be rebuilt here")


def _require_forward(model: torch.nn.Module, images: torch.Tensor, cost: Mapping[str, Any]) -> None:
    """Runs the module once: code that counts on the former widths fails here, and is named."""
    import torch

    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            model(images)
    except Exception as error:
        lines = [frame for frame in traceback.extract_tb(error.__traceback__) if f"{os.sep}torch{os.sep}nn{os.sep}" not in frame.filename]
        place = lines[-1] if lines else None
        where = f"{place.filename}:{place.lineno}: {place.line}" if place else "its code"
        raise WidthTransferError(
            f"the module does not run at these widths, its code counts on the former ones: {where} ({error})") from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if parameters != cost["parameters"]:
        raise WidthTransferError(f"the module has {parameters} parameters at these widths, and {cost['parameters']} were expected")
