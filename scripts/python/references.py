"""Computes reference numbers with the public code of width search methods; scripts/check-references --help says more.

Nothing of that code stands here. It is imported from checkouts, and what it wants from its surroundings (CUDA, a
command line, plotting, torchvision) is replaced from outside, so that the arithmetic that runs is the published one.
Inputs come from Python's own generator, which gives the same numbers in every version, and have few digits, to keep the
file small. PyTorch computes in float64. TensorFlow's batch norm exists in float32 only, so MorphNet's gammas are
multiples of 1/256 where the case allows it: then float32 is exact.
"""

import argparse
import contextlib
import importlib
import json
import math
import os
import random
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

# Before TensorFlow is imported: it would take a GPU, choose kernels by processor, and write a page of notices.
os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
sys.dont_write_bytecode = True  # the checkouts belong to somebody

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402

REPOSITORIES = {"dmcp": "Zx55/dmcp", "slimmable": "JiahuiYu/slimmable_networks",
                "morphnet": "google-research/morph-net", "legr": "enyac-group/LeGR"}
TOLERANCE = 1e-6
# Below this a number is the rounding error of a sum that cancels.
NOISE = 1e-12

Case = dict[str, Any]


def stub(name: str, **attributes: Any) -> types.ModuleType:
    """A module that stands in for one that the reference imports and that its arithmetic does not need."""
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    return module


@contextlib.contextmanager
def checkout(folder: str, *stubs: types.ModuleType) -> Iterator[Callable[[str], Any]]:
    """Imports from `folder`, and forgets its modules at the end: three of the repositories have a package `utils`."""
    replaced = {module.__name__: sys.modules.get(module.__name__) for module in stubs}
    before = set(sys.modules)
    sys.modules.update({module.__name__: module for module in stubs})
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", [])]
            if any(place.startswith(folder + os.sep) for place in places):
                del sys.modules[name]
        for name, module in replaced.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class OnTheCPU(TorchFunctionMode):
    """Makes tensors on the CPU where CUDA is asked for."""

    def __torch_function__(self, function: Any, _: Any, arguments: tuple = (), keywords: dict | None = None) -> Any:
        keywords = dict(keywords or {})
        if "cuda" in str(keywords.get("device")):
            keywords["device"] = "cpu"
        return function(*arguments, **keywords)


@contextlib.contextmanager
def without_cuda() -> Iterator[None]:
    """Runs code written for CUDA on the CPU. `.cpu()` must still copy, as it does there: LeGR writes into the copy."""
    saved = torch.Tensor.cuda, torch.Tensor.cpu
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.Tensor.cpu = lambda self, *_, **__: self.clone()
    try:
        with OnTheCPU():
            yield
    finally:
        torch.Tensor.cuda, torch.Tensor.cpu = saved


def draw(seed: int, count: int, low: float, high: float, digits: int) -> list[float]:
    """Uniform numbers with few digits."""
    generator = random.Random(seed)
    return [round(generator.uniform(low, high), digits) for _ in range(count)]


def draw_tensor(seed: int, shape: tuple[int, ...], low: float = -1, high: float = 1) -> torch.Tensor:
    return torch.tensor(draw(seed, math.prod(shape), low, high, 2), dtype=torch.float64).view(shape)


def flat(tensor: torch.Tensor) -> list[float]:
    return tensor.detach().double().flatten().tolist()


# DMCP


def alpha_operator(alpha_layer: type, channels: int, widths: list[float], seed: int | None) -> Case:
    """One Markov chain: layout, probabilities, expectation and mask, with the gradients of the last two.

    Without a seed the alphas stay 0, as a search begins.
    """
    layer = alpha_layer(channels, *widths, prob_type="sigmoid").double()
    if seed is not None:
        layer.alpha.data = torch.tensor(draw(seed, layer.num_groups, 0, 5, 3))
    expectation = layer.expected_channel()
    expectation_gradient, = torch.autograd.grad(expectation, layer.alpha)
    # The mask as the forward pass applies it. Its gradient is that of sum over channels of slope × factor.
    ones = torch.ones(1, channels, 1, 1)
    mask = layer(ones).flatten()
    slopes = draw(channels, channels, -1, 1, 2)
    mask_gradient, = torch.autograd.grad((mask * torch.tensor(slopes)).sum(), layer.alpha)
    narrow = layer.min_ch + layer.group_size * (layer.num_groups // 2)
    nearest, rounded = layer.expected_sampling()
    return {
        "channels": channels, "min_width": widths[0], "max_width": widths[1], "offset": widths[2],
        "fixed": layer.min_ch, "group_size": layer.group_size, "groups": layer.num_groups, "alphas": flat(layer.alpha),
        "probabilities": flat(layer.get_condition_prob()), "marginals": flat(layer.get_marginal_prob()),
        "expected_channels": expectation.item(), "expected_channels_gradient": flat(expectation_gradient),
        "expected_sampling": rounded, "nearest_boundary": nearest, "factors": flat(mask),
        "sliced_channels": narrow, "sliced_factors": flat(layer(ones[:, :narrow])),
        "slopes": slopes, "mask_gradient": flat(mask_gradient),
    }


def constant_operator(alpha_layer: type, channels: int, widths: list[float]) -> Case:
    """A unit that is too small for the grid has no alphas."""
    layer = alpha_layer(channels, *widths, prob_type="sigmoid")
    assert layer.alpha is None
    return {"channels": channels, "min_width": widths[0], "max_width": widths[1], "offset": widths[2],
            "fixed": layer.min_ch, "group_size": layer.group_size, "groups": layer.num_groups, "alphas": [],
            "expected_channels": layer.expected_channel()}


def expected_flops(module: Any, model: nn.Module, side: int, alpha_layer: type) -> tuple[torch.Tensor, list[Case]]:
    """E[FLOPs] in millions, and what each layer adds to it.

    The layers are seen by wrapping the function that the official recursion calls for each of them. Which alphas it
    gets is told from the identity of the expectations.
    """
    names = {id(layer): name for name, layer in model.named_modules()}
    alpha_names = canonical_alphas(model, alpha_layer)
    owners: dict[int, str] = {}
    kept, layers = [], []
    compute, expect = module.conv_compute_flops, alpha_layer.expected_channel

    def recording_expect(self: nn.Module) -> torch.Tensor:
        value = expect(self)
        kept.append(value)  # so that no other tensor takes its identity
        owners[id(value)] = alpha_names[id(self)]
        return value

    def recording_compute(layer: nn.Module, height: int, width: int, e_in_ch: Any = None, e_out_ch: Any = None) -> Any:
        flops, out_height, out_width = compute(layer, height, width, e_in_ch, e_out_ch)
        layers.append({"name": names[id(layer)], "input": owners.get(id(e_in_ch)), "output": owners.get(id(e_out_ch)),
                       "height": out_height, "width": out_width, "expected_flops": float(flops)})
        return flops, out_height, out_width

    module.conv_compute_flops, alpha_layer.expected_channel = recording_compute, recording_expect
    try:
        return model.expected_flops(side, side), layers
    finally:
        module.conv_compute_flops, alpha_layer.expected_channel = compute, expect


def canonical_alphas(model: nn.Module, alpha_layer: type) -> dict[int, str]:
    """For each alpha operator the least nested, then first, of the names that the official model gives it.

    Blocks without a projection register the operator of their input again, so a stage has several names for one; the
    first is the block that made it.
    """
    names: dict[int, str] = {}
    for name, layer in model.named_modules(remove_duplicate=False):
        if isinstance(layer, alpha_layer):
            known = names.get(id(layer))
            if known is None or name.count(".") < known.count("."):
                names[id(layer)] = name
    return names


def dmcp_model(module: Any, make: Callable[..., nn.Module], alpha_layer: type, name: str, widths: list[float],
               settings: list[str]) -> Case:
    """E[FLOPs] of an official model at 224 px for several settings of the alphas.

    The gradients are what the official code computes: a depthwise layer counts twice in them, though not in the value.
    """
    side = 224
    torch.manual_seed(0)
    model = make(num_classes=1000, input_size=side, width=widths, prob_type="sigmoid")
    names = canonical_alphas(model, alpha_layer)
    operators = {names[id(layer)]: layer for layer in model.modules() if id(layer) in names}
    aliases: dict[str, list[str]] = {key: [] for key in operators}
    for alias, layer in model.named_modules(remove_duplicate=False):
        if id(layer) in names:
            aliases[names[id(layer)]].append(alias)
    cases, structure = [], None
    for index, setting in enumerate(settings):
        for position, layer in enumerate(operators.values()):
            if setting == "zero":
                layer.alpha.data.zero_()
            elif setting == "widest":
                layer.alpha.data.fill_(40)  # p = 1 to the last bit
            else:
                low, high = (-2, 4) if setting == "random" else (1, 6)
                values = draw(1000 * index + position, layer.num_groups, low, high, 2)
                layer.alpha.data = torch.tensor(values)
        total, layers = expected_flops(module, model, side, alpha_layer)
        gradients = torch.autograd.grad(total, [layer.alpha for layer in operators.values()])
        here = [{key: layer[key] for key in layer if key != "expected_flops"} for layer in layers]
        assert structure in (None, here)
        structure = here
        case = {"setting": setting, "expected_mflops": total.item(),
                "layers": [layer["expected_flops"] for layer in layers],
                "expected_channels": [layer.expected_channel().item() for layer in operators.values()]}
        if setting in ("random", "wide"):
            case["alphas"] = [flat(layer.alpha) for layer in operators.values()]
        if setting in ("zero", "random"):
            case["gradients"] = [flat(gradient) for gradient in gradients]
        cases.append(case)
    operator_list = [{"name": key, "names": aliases[key], "channels": layer.channels, "fixed": layer.min_ch,
                      "group_size": layer.group_size, "groups": layer.num_groups} for key, layer in operators.items()]
    return {"model": name, "widths": widths, "side": side, "operators": operator_list, "layers": structure,
            "cases": cases}


def flops_losses(loss_function: Any) -> list[Case]:
    """The budget loss around several targets, without and with its weight of 0.1, and its gradient for E."""
    cases = []
    ratios = [0.05, 0.5, 0.8, 0.9, 0.949, 0.95, 0.96, 0.999, 1.0, 1.001, 1.05, 1.1, 1.4, 2.0, 5.0]
    # The factor of 0.1 begins beyond a distance of 200.
    distances = [-200.5, -200.0, 200.0, 200.5]
    for target in (100.0, 300.0, 1800.0):
        for expected in [target * ratio for ratio in ratios] + [target + distance for distance in distances]:
            if expected <= 0:
                continue
            e_flops = torch.tensor(expected, requires_grad=True)
            model = types.SimpleNamespace(module=types.SimpleNamespace(expected_flops=lambda height, width: e_flops))
            config = types.SimpleNamespace(
                dataset=types.SimpleNamespace(input_size=224),
                arch=types.SimpleNamespace(floss_type="log_l1", flop_loss_weight=0.1, target_flops=target))
            weighted, _ = loss_function.flop_loss(config, model)
            weighted_gradient, = torch.autograd.grad(weighted, e_flops)
            cases.append({"target": target, "expected": expected, "weight": 0.1, "weighted_loss": weighted.item(),
                          "weighted_gradient": weighted_gradient.item()})
    return cases


def dmcp_losses(loss_function: Any) -> Case:
    """Distillation and label smoothing, with the gradients for the logits."""
    shape = (4, 6)
    student = draw_tensor(1, shape, -3, 3).requires_grad_()
    teacher = draw_tensor(2, shape, -3, 3)
    labels = [0, 5, 2, 2]
    result: Case = {"shape": list(shape), "student": flat(student), "teacher": flat(teacher), "labels": labels,
                    "kl": [], "label_smoothing": []}
    for temperature in (1, 2, 4):
        loss = loss_function.KL(temperature)(student, teacher)
        gradient, = torch.autograd.grad(loss, student)
        result["kl"].append({"temperature": temperature, "loss": loss.item(), "gradient": flat(gradient)})
    for smoothing in (0.0, 0.1, 0.3):
        loss = loss_function.LabelSmoothCELoss(smoothing, shape[1])(student, torch.tensor(labels))
        gradient, = torch.autograd.grad(loss, student)
        result["label_smoothing"].append({"smoothing": smoothing, "loss": loss.item(), "gradient": flat(gradient)})
    return result


def learning_rates(scheduler: Any) -> list[Case]:
    """The rule at chosen steps, for the official settings: (base, after warm-up, lowest, warm-up steps, steps)."""
    cases = []
    for name, base, warm, lowest, warm_steps, steps in [
            ("resnet18 weights", 0.5, 0.5, 0.08, 0, 25040), ("mobilenet_v2 weights", 0.2, 0.5, 0.08, 1000, 25040),
            ("alphas", 0.5, 0.5, 0.1, 12520, 25040), ("retraining", 0.2, 0.8, 0.0, 1250, 62600),
            ("short", 0.1, 0.4, 0.01, 7, 40)]:
        wanted = sorted({0, 1, warm_steps // 2, max(warm_steps - 1, 0), warm_steps, warm_steps + 1,
                         (warm_steps + steps) // 2, 13020 % steps, steps - 1, steps})
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base)
        rule = scheduler.WarmUpCosineLRScheduler(optimizer, steps, lowest, base, warm, warm_steps)
        rates = []
        for step in wanted:
            rule.step(step)
            rates.append(rule.get_lr()[0])
        cases.append({"name": name, "base": base, "warmup_rate": warm, "minimum": lowest, "warmup_steps": warm_steps,
                      "total_steps": steps, "steps": wanted, "rates": rates})
    return cases


ROUNDED = [0.5, 1, 2.5, 3, 4, 6.4, 7.9, 8, 11, 11.9, 12, 13.3, 17.6, 19.9, 20, 22.6, 24, 26, 27.9, 28, 34, 45.2, 48, 52,
           63.9, 71, 90.5, 99.84, 181, 255, 362, 399.36, 886.8, 1280, 1920, 2216.96]


def dmcp(folder: str) -> Case:
    plotting = [stub("matplotlib"), stub("matplotlib.backends"), stub("matplotlib.pyplot"),
                stub("matplotlib.backends.backend_pdf", PdfPages=None)]
    plotting[0].pyplot = plotting[2]
    with checkout(folder, *plotting) as load:
        alpha_layer = load("models.dmcp.alpha_op").AlphaLayer
        narrow, wide = [0.1, 1.0, 0.1], [0.1, 1.5, 0.1]
        operators = [alpha_operator(alpha_layer, channels, widths, seed)
                     for channels, widths in [(64, narrow), (24, narrow), (48, wide), (40, wide), (144, wide)]
                     for seed in (None, channels)]
        operators += [constant_operator(alpha_layer, channels, widths)
                      for channels, widths in [(8, narrow), (12, wide)]]
        resnet, mobilenet = load("models.dmcp.dmcp_resnet"), load("models.dmcp.dmcp_mobilenet")
        losses = load("utils.loss_fn")
        return {
            "alpha_operators": operators,
            "models": [
                dmcp_model(resnet, resnet.dmcp_resnet18, alpha_layer, "resnet18", narrow,
                           ["zero", "random", "wide", "widest"]),
                dmcp_model(resnet, resnet.dmcp_resnet18, alpha_layer, "resnet18", wide, ["zero", "random"]),
                dmcp_model(mobilenet, mobilenet.dmcp_mobilenet_v2, alpha_layer, "mobilenet_v2", wide,
                           ["zero", "random", "wide", "widest"]),
            ],
            "flops_loss": flops_losses(losses), "losses": dmcp_losses(losses),
            "learning_rates": learning_rates(load("utils.lr_scheduler")),
            "make_divisible": {"divisor": 8, "minimum": 8, "values": ROUNDED,
                               "rounded": [load("models.slimmable.us_ops").make_divisible(v) for v in ROUNDED]},
        }


# US-Nets


def slimmable_convolution(operators: Any, name: str, inputs: int, outputs: int, kernel: int, stride: int, padding: int,
                          depthwise: bool = False, bias: bool = True, us: tuple[bool, bool] = (True, True)) -> Case:
    layer = operators.USConv2d(inputs, outputs, kernel, stride, padding, groups=inputs if depthwise else 1,
                               depthwise=depthwise, bias=bias, us=list(us))
    seed = len(name) * 10
    layer.weight.data = draw_tensor(seed, tuple(layer.weight.shape))
    if bias:
        layer.bias.data = draw_tensor(seed + 1, (outputs,))
    images = draw_tensor(seed + 2, (1, inputs, 5, 5))
    case = {"name": name, "in_channels": inputs, "out_channels": outputs, "kernel": kernel, "stride": stride,
            "padding": padding, "depthwise": depthwise, "slimmable": list(us), "input_shape": list(images.shape),
            "input": flat(images), "weight_shape": list(layer.weight.shape), "weight": flat(layer.weight),
            "bias": flat(layer.bias) if bias else None, "widths": []}
    for width in (0.25, 0.5, 0.75, 1.0):
        layer.width_mult = width
        active = operators.make_divisible(inputs * width) if us[0] else inputs
        result = layer(images[:, :active])
        if case["widths"] and case["widths"][-1]["out_channels"] == layer.out_channels \
                and case["widths"][-1]["in_channels"] == layer.in_channels:
            continue  # the same slice again
        case["widths"].append({"width": width, "in_channels": layer.in_channels, "out_channels": layer.out_channels,
                               "output_shape": list(result.shape), "output": flat(result)})
    return case


def slimmable_linear(operators: Any) -> Case:
    inputs, outputs = 32, 7
    layer = operators.USLinear(inputs, outputs, us=[True, False])
    layer.weight.data, layer.bias.data = draw_tensor(51, (outputs, inputs)), draw_tensor(52, (outputs,))
    features = draw_tensor(53, (3, inputs))
    case = {"in_features": inputs, "out_features": outputs, "input": flat(features), "batch": 3,
            "weight": flat(layer.weight), "bias": flat(layer.bias), "widths": []}
    for width in (0.25, 0.5, 0.75, 1.0):
        layer.width_mult = width
        result = layer(features[:, :operators.make_divisible(inputs * width)])
        case["widths"].append({"width": width, "in_features": layer.in_features, "output": flat(result)})
    return case


def slimmable_norm(operators: Any, tracked: list[float]) -> Case:
    """Training mode. Only the widths in `tracked` have running statistics of their own."""
    channels = 24
    layer = operators.USBatchNorm2d(channels).double()
    layer.train()
    layer.weight.data, layer.bias.data = draw_tensor(61, (channels,)), draw_tensor(62, (channels,))
    images = draw_tensor(63, (3, channels, 2, 2), -2, 2)
    case = {"channels": channels, "input_shape": list(images.shape), "input": flat(images),
            "weight": flat(layer.weight), "bias": flat(layer.bias), "epsilon": layer.eps, "momentum": layer.momentum,
            "widths": []}
    for width in (0.25, 0.6, 1.0):
        layer.width_mult = width
        active = operators.make_divisible(channels * width)
        result = layer(images[:, :active])
        entry = {"width": width, "channels": active, "output": flat(result)}
        if width in tracked:
            statistics = layer.bn[tracked.index(width)]
            entry.update(running_mean=flat(statistics.running_mean), running_variance=flat(statistics.running_var))
        case["widths"].append(entry)
    return case


def slimmable_losses(losses: Any, flags: types.SimpleNamespace) -> Case:
    shape = (4, 6)
    student, teacher = draw_tensor(71, shape, -3, 3).requires_grad_(), draw_tensor(72, shape, -3, 3)
    labels = [1, 0, 5, 3]
    result: Case = {"shape": list(shape), "student": flat(student), "teacher": flat(teacher), "labels": labels}
    soft = losses.CrossEntropyLossSoft(reduction="none")(student, torch.softmax(teacher, dim=1))
    gradient, = torch.autograd.grad(soft.mean(), student)
    result["soft"] = {"per_sample": flat(soft), "mean": soft.mean().item(), "gradient_of_mean": flat(gradient)}
    result["label_smoothing"] = []
    for smoothing in (0.0, 0.1, 0.3):
        flags.label_smoothing = smoothing
        loss = losses.CrossEntropyLossSmooth(reduction="none")(student, torch.tensor(labels))
        gradient, = torch.autograd.grad(loss.mean(), student)
        result["label_smoothing"].append({"smoothing": smoothing, "per_sample": flat(loss), "mean": loss.mean().item(),
                                          "gradient_of_mean": flat(gradient)})
    return result


def slimmable(folder: str) -> Case:
    tracked = [0.25, 1.0]
    flags = types.SimpleNamespace(width_mult_list=tracked, label_smoothing=0.1)
    # The repository's own module reads a file named on the command line as soon as it is imported.
    with checkout(folder, stub("utils.config", FLAGS=flags)) as load:
        operators = load("models.slimmable_ops")
        return {
            "convolutions": [
                slimmable_convolution(operators, "dense", 16, 24, 3, 1, 1),
                slimmable_convolution(operators, "dense, stride 2", 16, 16, 3, 2, 1, bias=False),
                slimmable_convolution(operators, "pointwise, no padding", 24, 16, 1, 1, 0, bias=False),
                slimmable_convolution(operators, "depthwise", 24, 24, 3, 1, 1, depthwise=True, bias=False),
                slimmable_convolution(operators, "depthwise, stride 2, wide padding", 24, 24, 3, 2, 2, depthwise=True),
                slimmable_convolution(operators, "first", 3, 24, 3, 2, 1, bias=False, us=(False, True)),
            ],
            "linear": slimmable_linear(operators), "batch_norm": slimmable_norm(operators, tracked),
            "losses": slimmable_losses(load("utils.loss_ops"), flags),
            "make_divisible": {"divisor": 8, "minimum": 1, "values": ROUNDED,
                               "rounded": [operators.make_divisible(v) for v in ROUNDED]},
        }


# MorphNet


class Graph:
    """Builds a network of raw TensorFlow operations. The regularizer walks the graph; no image ever runs through it."""

    def __init__(self, tf: Any, gammas: dict[str, list[float]]):
        self.tf, self.gammas = tf, gammas
        self.variables: dict[str, Any] = {}
        self.norms: dict[str, Any] = {}
        self.layers: list[Case] = []
        self.outputs: dict[str, Any] = {}
        self.sources: dict[str, str] = {}

    def source(self, tensor: Any) -> str:
        return self.sources.get(tensor.name, "?")

    def image(self, side: int, channels: int = 3) -> Any:
        tensor = self.tf.zeros([1, side, side, channels], name="image")
        self.sources[tensor.name] = "image"
        return tensor

    def convolution(self, name: str, tensor: Any, kernel: int = 3, stride: int = 1, depthwise: bool = False,
                    activation: str | None = "relu") -> Any:
        """Convolution, batch norm with the gammas of that name, activation."""
        tf, channels = self.tf, tensor.shape.as_list()[-1]
        outputs = len(self.gammas[name])
        strides = [1, stride, stride, 1]
        if depthwise:
            assert outputs == channels
            weights = tf.get_variable(f"{name}/weights", [kernel, kernel, channels, 1])
            result = tf.nn.depthwise_conv2d(tensor, weights, strides, "SAME", name=name)
        else:
            weights = tf.get_variable(f"{name}/weights", [kernel, kernel, channels, outputs])
            result = tf.nn.conv2d(tensor, weights, strides, "SAME", name=name)
        self.outputs[name] = result.op
        self.layers.append({"name": name, "kind": "depthwise" if depthwise else "dense", "input": self.source(tensor),
                            "in_channels": channels, "out_channels": outputs, "kernel": kernel, "stride": stride,
                            "height": result.shape.as_list()[1], "width": result.shape.as_list()[2]})
        gamma = tf.get_variable(f"{name}/gamma", initializer=tf.constant(self.gammas[name], tf.float32))
        beta = tf.get_variable(f"{name}/beta", [outputs])
        self.variables[name] = gamma
        result, _, _ = tf.nn.fused_batch_norm(result, gamma, beta, is_training=True, name=f"{name}/norm")
        self.norms[name] = result.op
        if activation:
            result = getattr(tf.nn, activation)(result)
        self.sources[result.name] = name
        return result

    def add(self, one: Any, other: Any, activation: str | None = "relu") -> Any:
        """A residual addition. The sum is called by its first operand."""
        result = self.tf.add(one, other)
        if activation:
            result = getattr(self.tf.nn, activation)(result)
        self.sources[result.name] = self.source(one)
        return result

    def linear(self, name: str, tensor: Any, classes: int) -> Any:
        """Mean over the map, then a linear layer."""
        tf, channels = self.tf, tensor.shape.as_list()[-1]
        pooled = tf.reduce_mean(tensor, [1, 2])
        result = tf.matmul(pooled, tf.get_variable(f"{name}/weights", [channels, classes]), name=name)
        self.outputs[name] = result.op
        self.layers.append({"name": name, "kind": "linear", "input": self.source(tensor), "in_channels": channels,
                            "out_channels": classes})
        return result


def hand_made(graph: Graph) -> Any:
    """The example that was worked by hand."""
    return graph.linear("fc", graph.convolution("conv2", graph.convolution("conv1", graph.image(8))), 10)


def strided_chain(graph: Graph) -> Any:
    tensor = graph.convolution("conv1", graph.image(12), stride=2)
    tensor = graph.convolution("conv2", tensor, kernel=1)
    tensor = graph.convolution("conv3", tensor, kernel=5, stride=2)
    return graph.linear("fc", tensor, 7)


def residual(graph: Graph) -> Any:
    """Two stages as in ResNet18: a block tied to the stem, and one with a projection."""
    stem = graph.convolution("stem", graph.image(8))
    inner = graph.convolution("block1.conv1", stem)
    stream = graph.add(stem, graph.convolution("block1.conv2", inner, activation=None))
    inner = graph.convolution("block2.conv1", stream, stride=2)
    branch = graph.convolution("block2.conv2", inner, activation=None)
    projection = graph.convolution("block2.projection", stream, 1, 2, activation=None)
    return graph.linear("fc", graph.add(branch, projection), 5)


def inverted_residual(graph: Graph) -> Any:
    """Two blocks as in MobileNetV2, the second with a residual."""
    stem = graph.convolution("stem", graph.image(16), stride=2, activation="relu6")
    hidden = graph.convolution("block1.expand", stem, 1, activation="relu6")
    hidden = graph.convolution("block1.depthwise", hidden, 3, 2, depthwise=True, activation="relu6")
    stream = graph.convolution("block1.project", hidden, 1, activation=None)
    hidden = graph.convolution("block2.expand", stream, 1, activation="relu6")
    hidden = graph.convolution("block2.depthwise", hidden, depthwise=True, activation="relu6")
    stream = graph.add(stream, graph.convolution("block2.project", hidden, 1, activation=None), activation=None)
    return graph.linear("fc", stream, 6)


def depthwise_on_stem(graph: Graph) -> Any:
    """The first block of MobileNetV2: the depthwise layer shares the stem's unit."""
    stem = graph.convolution("stem", graph.image(8), activation="relu6")
    hidden = graph.convolution("depthwise", stem, depthwise=True, activation="relu6")
    return graph.linear("fc", graph.convolution("project", hidden, 1, activation=None), 4)


def depthwise_on_image(graph: Graph) -> Any:
    """A depthwise layer whose input has no gammas."""
    hidden = graph.convolution("depthwise", graph.image(8), depthwise=True)
    return graph.linear("fc", graph.convolution("conv", hidden, 1), 4)


def morphnet_case(tf: Any, regularizers: Any, name: str, build: Callable[[Graph], Any], gammas: dict[str, list[float]],
                  threshold: float) -> Case:
    """Regularization term, cost and gradients of one network, in total and per layer."""
    with tf.Graph().as_default():
        graph = Graph(tf, gammas)
        boundary = [build(graph).op]
        regularizer = regularizers.GammaFlopsRegularizer(boundary, gamma_threshold=threshold)
        # Every channel is alive for this one.
        initial = regularizers.GammaFlopsRegularizer(boundary, gamma_threshold=-1.0)
        term = regularizer.get_regularization_term()
        variables = list(graph.variables.values())
        manager = regularizer.op_regularizer_manager
        groups = {key: manager.get_regularizer(norm) for key, norm in graph.norms.items()}
        wanted = {
            "regularization": term, "cost": regularizer.get_cost(), "initial_cost": initial.get_cost(),
            "gradients": dict(zip(graph.variables, tf.gradients(term, variables))),
            "alive": {key: group.alive_vector for key, group in groups.items()},
            "magnitudes": {key: group.regularization_vector for key, group in groups.items()},
            "layers": {key: (regularizer.get_regularization_term([op]), regularizer.get_cost([op]))
                       for key, op in graph.outputs.items()},
        }
        options = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with tf.Session(config=options) as session:
            session.run(tf.global_variables_initializer())
            found = session.run(wanted)
    for layer in graph.layers:
        layer["regularization"], layer["cost"] = map(float, found["layers"][layer["name"]])
    return {
        "name": name, "threshold": threshold, "precision": "float32", "gammas": gammas, "layers": graph.layers,
        "alive": {key: [bool(one) for one in value] for key, value in found["alive"].items()},
        "magnitudes": {key: value.astype(float).tolist() for key, value in found["magnitudes"].items()},
        "regularization": float(found["regularization"]), "cost": float(found["cost"]),
        "initial_cost": float(found["initial_cost"]),
        "gradients": {key: value.astype(float).tolist() for key, value in found["gradients"].items()},
    }


def draw_gammas(seed: int, **channels: int) -> dict[str, list[float]]:
    """Gammas of both signs, multiples of 1/256 and all different in magnitude, about half of them below 0.1.

    Different, because at a tie of two members of a group the gradient is a matter of taste.
    """
    generator = random.Random(seed)
    low, high = list(range(1, 26)), list(range(26, 512))
    generator.shuffle(low)
    generator.shuffle(high)

    def gamma() -> float:
        sign = generator.choice((-1, 1))
        return sign * (low.pop() if low and generator.random() < 0.5 else high.pop()) / 256

    return {key.replace("_", "."): [gamma() for _ in range(count)] for key, count in channels.items()}


def morphnet(folder: str) -> Case:
    import tensorflow.compat.v1 as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_eager_execution()
    tf.disable_resource_variables()
    with checkout(folder) as load:
        regularizers = load("morph_net.network_regularizers.flop_regularizer")
        networks = [
            ("worked by hand", hand_made, {"conv1": [1.0, 0.5, 0.005, 0.2], "conv2": [0.3, 0.008]}, 0.01),
            ("strided chain", strided_chain, draw_gammas(1, conv1=8, conv2=6, conv3=10), 0.1),
            ("residual", residual,
             draw_gammas(2, stem=6, block1_conv1=5, block1_conv2=6, block2_conv1=7, block2_conv2=8,
                         block2_projection=8), 0.1),
            ("grouping", depthwise_on_stem,
             {"stem": [0.5, 0.001], "depthwise": [0.002, 0.3], "project": [0.75, -0.25, 0.5]}, 0.01),
            ("depthwise", inverted_residual,
             draw_gammas(3, stem=5, block1_expand=8, block1_depthwise=8, block1_project=4, block2_expand=9,
                         block2_depthwise=9, block2_project=4), 0.1),
            ("depthwise on the image", depthwise_on_image, draw_gammas(4, depthwise=3, conv=6), 0.1),
        ]
        return {"flops_per_mac": 2, "cases": [morphnet_case(tf, regularizers, *network) for network in networks]}


# LeGR's MorphNet


def legr_regularizer(legr: Any, model: nn.Module, maps: dict[int, tuple[int, int]]) -> Case:
    """LeGR's regularizer before and after it has truncated small gammas, which it does at the end of each epoch.

    It leaves out what the image and the classifier contribute.
    """
    pairs = legr.get_cbns(model)
    norms = pairs[1]
    result: Case = {"maps": [list(maps[index]) for index in range(len(maps))],
                    "gammas": [flat(norm.weight) for norm in norms]}
    for key in ("", "truncated_"):
        if key:
            legr.truncate_smallbeta(model, pairs)
            result["truncated_gammas"] = [flat(norm.weight) for norm in norms]
        term = legr.regularizer(model, "flops", pairs, maps)
        gradients = torch.autograd.grad(term, [norm.weight for norm in norms])
        result[f"{key}regularization"] = term.item()
        # The same for all channels of a layer, but for the sign, and zero where a gamma is zero.
        result[f"{key}slopes"] = [gradient.abs().max().item() for gradient in gradients]
        result[f"{key}alive"] = legr.num_alive_filters(model)
    return result


def legr(folder: str) -> Case:
    class Bottleneck:
        """LeGR asks whether a block is torchvision's; here none is."""

    vision = [stub("torchvision"), stub("torchvision.transforms"), stub("torchvision.models"),
              stub("torchvision.models.resnet", Bottleneck=Bottleneck)]
    vision[0].transforms = vision[1]
    with checkout(folder, *vision) as load, without_cuda():
        module = load("morphnet")
        chain = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
                              nn.Conv2d(4, 2, 3, padding=1), nn.BatchNorm2d(2))
        for layer, gammas in ((chain[1], [1.0, 0.5, 0.005, 0.2]), (chain[4], [0.3, 0.008])):
            layer.weight.data = torch.tensor(gammas)
        torch.manual_seed(0)
        network = load("model.resnet_cifar10").ResNet20()
        pruner = load("pruner.fp_resnet").FilterPrunerResNet(network, "l2_weight", num_cls=10, device="cpu")
        network.eval()
        with torch.no_grad():
            pruner.forward(torch.zeros(1, 3, 32, 32))
        flops = float(pruner.cur_flops)
        maps = pruner.omap_size
        for index, norm in enumerate(layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)):
            # The fourth power makes about a quarter of them smaller than 0.01, its threshold.
            norm.weight.data = torch.tensor([round(value ** 4, 4) for value in draw(index, norm.num_features, 0, 1, 3)])
        resnet = legr_regularizer(module, network, maps)
        convolutions = [{"in_channels": layer.in_channels, "out_channels": layer.out_channels,
                         "kernel": layer.kernel_size[0]} for layer in module.get_cbns(network)[0]]
        targets = [round(flops * factor) for factor in (0.5, 0.75, 1.0, 2.0)]
        return {
            "threshold": 0.01,
            "chain": legr_regularizer(module, chain, {0: (8, 8), 1: (8, 8)}),
            "resnet20": {"convolutions": convolutions, "macs": flops, **resnet,
                         "valid_macs": float(pruner.get_valid_flops()),
                         "growth": [{"target": target, "ratio": float(pruner.get_uniform_ratio(target))}
                                    for target in targets]},
        }


# Comparison


def commit(folder: str) -> str:
    """What is checked out, if Git knows."""
    command = ["git", "--git-dir", os.path.join(folder, ".git"), "rev-parse", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def differences(found: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Where two results differ; numbers may, by rounding."""
    if isinstance(kept, dict) and isinstance(found, dict):
        for key in found.keys() | kept.keys():
            if key not in found or key not in kept:
                yield f"{path}.{key}: only {'in the file' if key in kept else 'computed now'}"
            else:
                yield from differences(found[key], kept[key], f"{path}.{key}")
    elif isinstance(kept, list) and isinstance(found, list):
        if len(kept) != len(found):
            yield f"{path}: {len(found)} values, the file has {len(kept)}"
        else:
            for index, (one, other) in enumerate(zip(found, kept)):
                yield from differences(one, other, f"{path}[{index}]")
    elif isinstance(found, float) and isinstance(kept, (int, float)) and not isinstance(kept, bool):
        if not abs(found - kept) <= TOLERANCE * max(abs(found), abs(kept)) + NOISE:
            yield f"{path}: {found!r}, the file has {kept!r}"
    elif found != kept:
        yield f"{path}: {found!r}, the file has {kept!r}"


def count_numbers(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(count_numbers, value.values()))
    if isinstance(value, list):
        return sum(map(count_numbers, value))
    return isinstance(value, (int, float))


def text(value: Any, indent: str = "") -> str:
    """JSON with a line for each key, and arrays of numbers on one: Git shows what changed, and the file stays small."""
    if isinstance(value, dict) and value:
        inner = indent + " "
        lines = (f"{inner}{json.dumps(key)}: {text(one, inner)}" for key, one in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        inner = indent + " "
        return "[\n" + ",\n".join(inner + text(one, inner) for one in value) + f"\n{indent}]"
    # 17 digits where it takes them: Python's shortest form that reads back as the same double.
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def main() -> int:
    parser = argparse.ArgumentParser()
    for key in REPOSITORIES:
        parser.add_argument(f"--{key}", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # the references use what has been deprecated since
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    result: Case = {"sources": {}}
    for key, compute in (("dmcp", dmcp), ("slimmable", slimmable), ("morphnet", morphnet), ("legr", legr)):
        folder = os.path.realpath(getattr(options, key))
        result["sources"][key] = {"repository": f"https://github.com/{REPOSITORIES[key]}", "commit": commit(folder)}
        result[key] = compute(folder)
        print(f"{key:<10}{count_numbers(result[key]):>7} numbers from {REPOSITORIES[key]} at "
              f"{result['sources'][key]['commit'][:12]}", flush=True)
    if options.write:
        os.makedirs(os.path.dirname(options.file), exist_ok=True)
        with open(options.file, "w", encoding="utf-8") as file:
            file.write(text(result) + "\n")
        print(f"wrote {os.path.getsize(options.file):,} bytes")
        return 0
    with open(options.file, encoding="utf-8") as file:
        kept = json.load(file)
    # Another commit that computes the same is no difference.
    del result["sources"], kept["sources"]
    found = list(differences(json.loads(text(result)), kept))
    for line in found[:20]:
        print(line.lstrip("."))
    print(f"{len(found)} differences" if found else f"all within {TOLERANCE:.0e} of the file")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
