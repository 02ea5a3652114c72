"""Imports networks as torch.onnx writes them; scripts/check-onnx-import --help says more."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnx
import onnxruntime
import torch
import torch.utils.flop_counter
from safetensors.torch import load_file, save_file
import torchvision_models
import torchvision
from PIL import Image

TRANSFORMERS = ("vit", "swin", "maxvit")


def costs(network, image):
    """Multiply-accumulates of convolutions and linear layers, and learnable numbers."""
    macs = 0

    def count(module, inputs, output):
        nonlocal macs
        if isinstance(module, (torch.nn.Conv1d, torch.nn.Conv2d)):
            macs += output.numel() * module.weight[0].numel()
        elif isinstance(module, torch.nn.Linear):
            macs += output.numel() * module.in_features
        elif type(module).__name__.startswith("BlurPool"):
            # A convolution by a function, with a filter that is not learnt.
            macs += output.numel() * module.filt[0].numel()

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return macs, sum(parameter.numel() for parameter in network.parameters())


MEAN, DEVIATION = (torch.tensor(numbers).view(3, 1, 1) for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


class Preprocessed(torch.nn.Module):
    """A network that takes pixels from 0 to 1, or bytes."""

    def __init__(self, network, takes_bytes):
        super().__init__()
        self.network, self.takes_bytes = network, takes_bytes
        # The newer exporter calls a ReduceMean's result "mean", too.
        self.register_buffer("pixel_mean", MEAN)
        self.register_buffer("pixel_deviation", DEVIATION)

    def forward(self, pixels):
        pixels = pixels.float() / 255 if self.takes_bytes else pixels
        return self.network((pixels - self.pixel_mean) / self.pixel_deviation)


class Groups(torch.nn.Module):
    """A normalization of groups, and one more factor for each channel behind it."""

    def __init__(self, channels):
        super().__init__()
        self.norm = torch.nn.GroupNorm(2, channels)
        self.gamma = torch.nn.Parameter(torch.rand(1, channels, 1, 1) + 0.5)
        torch.nn.init.uniform_(self.norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(self.norm.bias, -0.5, 0.5)

    def forward(self, x):
        return self.norm(x) * self.gamma


def make(name):
    """A network in evaluation mode without auxiliary heads, and its image."""
    for prefix, kind in (("pixels/", torch.float32), ("bytes/", torch.uint8)):
        if name.startswith(prefix):
            network, image = make(name.removeprefix(prefix))
            return Preprocessed(network, kind == torch.uint8).eval(), image.to(kind)
    if name.startswith("groups/"):
        network, image = make(name.removeprefix("groups/"))
        for module in list(network.modules()):
            for place, child in module.named_children():
                if isinstance(child, torch.nn.BatchNorm2d):
                    setattr(module, place, Groups(child.num_features))
        return network.eval(), image
    if name.startswith("with-"):
        function, name = name.removeprefix("with-").split("/", 1)
        network, image = make(name)
        for module in list(network.modules()):
            for place, child in module.named_children():
                if isinstance(child, torch.nn.ReLU):
                    arguments = {"approximate": "tanh"} if function == "GELU" else {}
                    setattr(module, place, getattr(torch.nn, function)(**arguments))
        return network.eval(), image
    if name.startswith("timm/"):
        import timm

        # As products and a softmax, which PyTorch's counter knows on every device.
        timm.layers.set_fused_attn(False)
        network = timm.create_model(name.removeprefix("timm/"), pretrained=False).eval()
        side = min(network.pretrained_cfg["input_size"][-1], 299)
        return network, torch.zeros(1, 3, side, side)
    arguments = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision_models.model(name, **arguments).eval()
    if name in ("googlenet", "inception_v3"):
        network.aux_logits = False
        network.aux1 = network.aux2 = network.AuxLogits = None
    side = 299 if name == "inception_v3" else 224
    return network, torch.zeros(1, 3, side, side)


# What TorchScript's exporter writes, by default and with batch normalization; what the newer exporter does, optimized (the default) or not;
# and the second with names that say nothing.
# newer-21 has opset 21, which has an operator for normalizations of groups.
EXPORTS = ("folded", "kept", "newer", "newer-plain", "newer-21", "nameless")


def take_names(path):
    """Replaces the names of all nodes and tensors of a file."""
    model = onnx.load(str(path))
    graph, names = model.graph, {"": ""}

    def new(name):
        return names.setdefault(name, f"t{len(names)}")

    for one in [*graph.initializer, *graph.input, *graph.output]:
        one.name = new(one.name)
    for place, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{place}"
        for tensors in (node.input, node.output):
            tensors[:] = [new(name) for name in tensors]
    del graph.value_info[:]
    onnx.save(model, str(path))


def export(network, image, path, how):
    """Writes the file as one of EXPORTS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if how.startswith("newer"):
            # Of one image, the number of images would be taken for fixed.
            torch.onnx.export(network, (image.repeat(2, 1, 1, 1),), str(path), dynamo=True, opset_version=21 if how == "newer-21" else 18,
                              input_names=["image"], external_data=False, dynamic_shapes=({0: torch.export.Dim("batch")},),
                              optimize=how != "newer-plain", verbose=False)
            return
        more = {} if how == "folded" else {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
        torch.onnx.export(network, image, str(path), dynamo=False, opset_version=17, input_names=["image"],
                          dynamic_axes={"image": {0: "batch"}}, **more)
        if how == "nameless":
            take_names(path)


def all_products(network, image):
    """Multiply-accumulates of convolutions and of all matrix products, as PyTorch's own counter has them."""
    counter = torch.utils.flop_counter.FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(image)
    return counter.get_total_flops() // 2


def dropped_biases(network):
    """What a folded bias before a batch normalization counted: it comes back as none."""
    modules = list(network.modules())
    return sum(one.bias.numel() for one, other in zip(modules, modules[1:])
               if isinstance(one, torch.nn.Conv2d) and one.bias is not None and isinstance(other, torch.nn.BatchNorm2d))


def first_line(fault):
    """The beginning of what an exception says, in a cell of a table."""
    return (str(fault).strip() or type(fault).__name__).split("\n")[0][:150].replace("|", "/")


def outputs(path, image):
    """What onnxruntime makes of images."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})[0]


def round_trip(executable, path, again, image, own):
    """The largest difference, relative to the largest score, between a file and what it comes back as with its own weights.

    `own` are the same images as the network here wants them: normalized."""
    done = subprocess.run([executable, "export", "--weights", str(path), "--output", str(again), "--overwrite", "--quiet"],
                          capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip().split("\n")[-1]
    one, other = outputs(path, image), outputs(again, own)
    return float(numpy.abs(one - other).max() / numpy.abs(one).max()), ""


def trained_here(bench, executable, path, place, image, own):
    """The largest difference, relative to the largest score, between a file and the network that is trained here."""
    weights, inputs, output = (place / name for name in ("own.safetensors", "inputs.safetensors", "logits.safetensors"))
    save_file({"eval.images": torch.from_numpy(own)}, inputs)
    for words in ([executable, "export", "--weights", path, "--output", weights, "--overwrite", "--quiet"],
                  [bench, "parity", "--weights", weights, "--inputs", inputs, "--output", output, "--steps", "0"]):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        if done.returncode:
            return None, done.stderr.strip().split("\n")[-1]
    logits, reference = load_file(output)["logits"].numpy(), outputs(path, image)
    return float(numpy.abs(logits - reference).max() / numpy.abs(reference).max()), ""


def halved(executable, path, again, groups, image):
    """Whether the network with every free group at half its width is one that onnxruntime computes."""
    widths = {}
    for group in groups:
        step = group.get("granularity", 1)
        widths[group["id"]] = max(step, group["width"] // 2 // step * step)
    table = again.with_suffix(".json")
    table.write_text(json.dumps({"network": path.stem, "widths": widths}))
    done = subprocess.run([executable, "export", "--network", str(path), "--widths", str(table), "--output", str(again),
                           "--overwrite", "--quiet"], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().split("\n")[-1]
    try:
        result = outputs(again, image)
    except Exception as fault:
        return f"onnxruntime: {fault}"
    if result.shape[0] != len(image) or not numpy.isfinite(result).all():
        return f"its result is {result.shape}, or not finite"
    return ""


MOST_SECONDS = 120
METHODS = {"dmcp": [], "autoslim": ["groups=2", "heldOutImages=2", "evaluationBatch=2"], "morphnet": [], "network-slimming": []}


def write_pictures(folder):
    """Two classes of noise: four images of each to search on, one of each held out."""
    generator = numpy.random.default_rng(0)
    for split, count in (("train", 8), ("val", 1)):
        for label in ("a", "b"):
            (folder / split / label).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (64, 64, 3), dtype=numpy.uint8)
                Image.fromarray(pixels).save(folder / split / label / f"{number}.png")


def searches(executable, path, data, place, side):
    """What each method says to one epoch of searching, at 64 pixels or, where the file has no other size, at its own."""
    done = subprocess.run([executable, "inspect", str(path), "--resolution", "64", "--json"], capture_output=True)
    side = side if done.returncode else 64
    faults = []
    for method, settings in METHODS.items():
        output = place / "search"
        shutil.rmtree(output, ignore_errors=True)
        # Two steps, of which DMCP's second moves widths.
        words = [executable, "search", "--network", str(path), "--resolution", str(side), "--dataset", str(data), "--algorithm", method,
                 "--epochs", "1", "--search-epochs", "1", "--batch-size", "4", "--output", str(output), "--quiet", "--threads", "1"]
        words += [word for setting in settings for word in ("--search-option", setting)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            faults.append(f"{method}: not done in {MOST_SECONDS} s")
            continue
        widths = json.loads((output / "widths.json").read_text()) if not done.returncode else {}
        if done.returncode or not widths.get("widths"):
            faults.append(f"{method}: {done.stderr.strip().split(chr(10))[-1].split(': ', 1)[-1]}")
    return faults


def spread(network):
    """Gives normalizations statistics and factors as after a training, so that no mistake in them can hide."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm, torch.nn.GroupNorm)) and module.weight is not None:
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            if module.bias is not None:
                torch.nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    # Numbers that are all alike, fresh biases and factors: exporters leave zeros out, and keep one of several that are equal.
    for parameter in network.parameters():
        with torch.no_grad():
            if parameter.numel() and bool((parameter == parameter.flatten()[0]).all()):
                parameter.add_(torch.empty_like(parameter).uniform_(0.05, 0.3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--largest", type=float, default=1e9, help="leave out networks with more parameters")
    parser.add_argument("--exports", default="folded,kept", help="which of " + ",".join(EXPORTS))
    parser.add_argument("--structure", action="store_true", help="compare no results")
    parser.add_argument("--searches", action="store_true", help="one epoch of each search, on the last of the exports")
    parser.add_argument("--folder", type=pathlib.Path, help="keep exports there, and take those that are there")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    names = arguments.names or [name for name in torchvision.models.list_models(module=torchvision.models)
                                if not name.startswith(TRANSFORMERS)]
    read = refused = wrong = missing = 0
    worst = 0.0
    generator = numpy.random.default_rng(0)
    print("| network | export | parameters | MACs, M | groups | blocks in stages | written again | trained here | halved | searches | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place:
        data = pathlib.Path(place) / "pictures"
        write_pictures(data)
        for name in names:
            try:
                network, image = make(name)
            except Exception as fault:
                missing += 1
                print(f"| {name} | | | | | | | | | | not made: {first_line(fault)} |", flush=True)
                continue
            if sum(parameter.numel() for parameter in network.parameters()) > arguments.largest:
                continue
            macs, parameters = costs(network, image)
            spread(network)
            images = generator.standard_normal((3, *image.shape[1:]), dtype=numpy.float32)
            normalized = images
            if isinstance(network, Preprocessed):
                images = generator.integers(0, 256, images.shape, dtype=numpy.uint8)
                pixels = images.astype(numpy.float32) / 255
                images = images if network.takes_bytes else pixels
                normalized = ((pixels - MEAN.numpy()) / DEVIATION.numpy()).astype(numpy.float32)
            exports = arguments.exports.split(",")
            for how in exports:
                path = pathlib.Path(place) / f"{name.split('/')[-1]}.onnx"
                if arguments.folder:
                    path = arguments.folder / f"{name.split('/')[-1]}.{how}.onnx"
                try:
                    if not path.exists():
                        export(network, image, path, how)
                except Exception as fault:
                    missing += 1
                    print(f"| {name} | {how} | {parameters:,} | {macs / 1e6:.1f} | | | | | | | not exported: {first_line(fault)} |",
                          flush=True)
                    continue
                done = subprocess.run([arguments.executable, "inspect", str(path), "--json"], capture_output=True, text=True)
                if done.returncode:
                    refused += 1
                    reason = done.stderr.strip().split(f"{path}: ")[-1]
                    if not arguments.folder:
                        path.unlink()
                    print(f"| {name} | {how} | {parameters:,} | {macs / 1e6:.1f} | | | | | | | refused: {reason[:150]} |", flush=True)
                    continue
                found = json.loads(done.stdout)
                expected = parameters - (dropped_biases(network) if how in ("folded", "newer") else 0)
                products = macs
                if any(layer["kind"] == "passed" for layer in found["layers"]):
                    # Hooks on modules do not see the products of attention.
                    products = all_products(network, image)
                isRight = found["macs"] == products and found["parameters"] == expected
                again = pathlib.Path(place) / "again.onnx"
                difference, mine, fault = None, None, ""
                if not arguments.structure:
                    difference, fault = round_trip(arguments.executable, path, again, images, normalized)
                    mine, reason = trained_here(arguments.executable + "-bench", arguments.executable, path, again.parent, images,
                                                normalized)
                    fault = fault or reason
                narrow = halved(arguments.executable, path, again, found["widthGroups"], normalized)
                isSame = arguments.structure or None not in (difference, mine) and difference <= 1e-4 and mine <= 1e-4
                searching = ""
                if arguments.searches and how == exports[-1]:
                    faults = searches(arguments.executable, path, data, again.parent, image.shape[-1])
                    searching = "yes" if not faults else f"{len(METHODS) - len(faults)} of {len(METHODS)}"
                    fault = " ".join([fault, *faults])
                worst = max(worst, difference or 0.0, mine or 0.0)
                isFine = isRight and isSame and not narrow and searching in ("", "yes")
                read += isFine
                wrong += not isFine
                blocks = " ".join(str(len(stage["blocks"])) for stage in found["stages"]) or "–"
                print(f"| {name} | {how} | {parameters:,} | {products / 1e6:.1f} | {len(found['widthGroups'])} | {blocks} | "
                      + " | ".join("–" if one is None else f"{one:.0e}" for one in (difference, mine))
                      + (" | no | " if narrow else " | yes | ") + searching + " | "
                      + ("" if isRight else f"**has {found['parameters']:,} and {found['macs'] / 1e6:.1f}** ")
                      + (fault + " " + narrow).replace(arguments.executable, "")[:400].strip() + " |", flush=True)
                if not arguments.folder:
                    path.unlink()
    print(f"\n{read} files are right in all of it, {wrong} are not, {refused} are refused, {missing} were not exported; "
          f"the largest difference is {worst:.1e}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
