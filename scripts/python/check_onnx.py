"""Runs exported networks in onnxruntime and PyTorch; scripts/check-onnx --help says more."""

import argparse
import importlib.util
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
import torch
import torchvision_models
from safetensors.torch import load_file, save_file

TORCHVISION = ["resnet18", "mobilenet_v2", "efficientnet_b0", "vgg11_bn", "resnet50", "efficientnet_b3"]
OWN = ["resnet20", "vgg16_cifar", "mobilenet_v2_cifar", "resnet18_cifar"]
MOST = 1e-4


def everything():
    """A network of every operation that a document can hold, with pools that round up and one whose windows overlap."""
    layers = []

    def add(name, kind, inputs=None, **settings):
        layers.append({"name": name, "inputs": inputs or [layers[-1]["name"] if layers else "input"],
                       "operation": {"kind": kind, **settings}})

    def convolution(name, channels, kernel, inputs=None, **settings):
        add(name, "convolution", inputs, outputChannels=channels, kernelSize=kernel, **settings)
        add(f"{name}.bn", "batchNorm", epsilon=1e-3, momentum=0.01)

    convolution("output", 12, 3, padding=1)  # the name that the graph's result has
    add("gelu", "gelu")
    add("max", "maxPool", kernelSize=3, stride=2, roundsUp=True)
    convolution("grouped", 12, 3, padding=1, grouping=4)
    add("leaky", "leakyRelu")
    convolution("wide", 12, [1, 3], padding=[0, 2], dilation=[1, 2],
                hasBias=True)
    add("swish", "hardSwish")
    add("sum", "add", ["swish", "leaky", "grouped.bn"])
    add("six", "relu6")
    add("squeeze", "globalAveragePool")
    add("gate.down", "convolution", outputChannels=4, kernelSize=1, hasBias=True)
    add("gate.silu", "silu")
    add("gate.up", "convolution", outputChannels=12, kernelSize=1, hasBias=True)
    add("gate", "hardSigmoid")
    add("gated", "multiply", ["six", "gate"])
    convolution("depthwise", 12, 3, padding=1, stride=2, grouping="depthwise")
    add("relu", "relu")
    convolution("other", 8, 1, ["gated"], stride=2)
    add("path", "stochasticDepth", probability=0.1)
    add("sigmoid", "sigmoid")
    add("joined", "concatenate", ["relu", "sigmoid"])
    add("mean", "averagePool", kernelSize=3, stride=2, padding=1, countsPadding=False)
    add("adaptive", "adaptiveAveragePool", height=3, width=3)
    add("flatten", "flatten")
    add("hidden", "linear", outputFeatures=24)
    add("hidden.bn", "batchNorm")
    add("hidden.relu", "relu")
    add("dropout", "dropout", probability=0.5)
    add("class", "linear", outputFeatures=10, hasBias=False)
    return json.dumps({"name": "everything", "input": {"channels": 1, "height": 32, "width": 32}, "layers": layers})


def others():
    """A network of the operations that imported networks have beside these."""
    layers = []

    def add(name, kind, inputs=None, **settings):
        layers.append({"name": name, "inputs": inputs or [layers[-1]["name"] if layers else "input"],
                       "operation": {"kind": kind, **settings}})

    add("squares", "spaceToDepth", blockSize=2)
    add("stem", "standardizedConvolution", outputChannels=8, kernelSize=3, padding=1, hasBias=True, gamma=1.7, initialGain=1)
    add("reflected", "reflectPad", top=1, bottom=1, left=1, right=2)
    add("blur", "fixedFilter", coefficients=[[0.0625, 0.125, 0.0625], [0.125, 0.25, 0.125], [0.0625, 0.125, 0.0625]], stride=2)
    add("norm", "layerNorm", epsilon=1e-6)
    add("shuffle", "channelShuffle", groups=2)
    add("one", "channelPart", start=0, end=4)
    add("two", "channelPart", ["shuffle"], start=4, end=8)
    add("both", "add", ["one", "two"])
    add("mean", "globalAveragePool")
    add("fc.one", "convolution", outputChannels=4, kernelSize=1)
    add("fc.two", "convolution", ["mean"], outputChannels=4, kernelSize=1)
    add("share.one", "softmaxShare", ["fc.one", "fc.two"], branch=0)
    add("share.two", "softmaxShare", ["fc.one", "fc.two"], branch=1)
    add("weighed.one", "multiply", ["one", "share.one"])
    add("weighed.two", "multiply", ["two", "share.two"])
    add("selected", "add", ["weighed.one", "weighed.two"])
    add("scores", "convolution", outputChannels=1, kernelSize=1, hasBias=True)
    add("context", "attentionPool", ["selected", "scores"])
    add("context.conv", "standardizedConvolution", outputChannels=4, kernelSize=1)
    add("moved", "addVector", ["selected", "context.conv"])
    add("leak", "negativeSlope", slope=0.2)
    add("prelu", "learnedSlope")
    add("prelu.one", "learnedSlope", isShared=True, initialValue=0.1)
    add("elu", "elu", alpha=0.7)
    add("celu", "celu", alpha=0.6)
    add("selu", "selu")
    add("softplus", "softplus")
    add("softsign", "softsign")
    add("approximate", "geluTanh")
    add("tanh", "tanh")
    add("clamped", "clamp", least=-0.4, most=0.6)
    add("groups", "groupNorm", groups=2)
    add("grn", "globalResponseNorm", epsilon=1e-5)
    add("gamma", "channelScale", initialValue=0.5)
    add("lab.scale", "learnedFactor")
    add("lab.bias", "learnedShift")
    add("linear", "pointwiseLinear", outputFeatures=6)
    add("small", "averagePool", kernelSize=3, stride=3)
    add("gate", "resizeLike", ["small", "linear"])
    add("gated", "multiply", ["linear", "gate"])
    add("pad", "zeroPad", bottom=1, right=2)
    add("rescaled", "rescale", factor=0.5, shift=0.25)
    add("larger", "upsample", factor=2)
    add("squeeze", "globalAveragePool")
    add("eca", "channelConvolution", kernelSize=3)
    add("sigmoid", "sigmoid")
    add("attended", "multiply", ["larger", "sigmoid"])
    add("pooled", "globalAveragePool")
    add("flat", "flatten")
    add("hidden", "linear", outputFeatures=12)
    add("head.norm", "layerNorm")
    add("residual", "add", ["hidden", "head.norm"])
    add("head.scale", "channelScale", rank=1)
    add("head.flat", "flatten")
    add("head.prelu", "learnedSlope")
    add("head.rescaled", "rescale", factor=0.5, shift=0.1)
    add("head.elu", "elu")
    add("class", "linear", outputFeatures=10)
    return json.dumps({"name": "others", "input": {"channels": 1, "height": 32, "width": 32}, "layers": layers})


def export(executable, *words):
    done = subprocess.run([executable, "export", *map(str, words), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"export {' '.join(map(str, words))}: {done.stderr}")


def module(path):
    """The Network that a Python file defines."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.Network()


def difference(ours, theirs):
    """The largest difference, as a part of the largest of their numbers."""
    return float(numpy.abs(ours - theirs).max() / max(numpy.abs(theirs).max(), 1e-12))


def shake(model, seed):
    """Random weights and statistics of a size that keeps the numbers of a deep network in range."""
    generator = torch.Generator().manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for tensor, low, high in [(layer.weight, 0.5, 1.5), (layer.bias, -0.3, 0.3),
                                      (layer.running_mean, -0.3, 0.3), (layer.running_var, 0.5, 1.5)]:
                tensor.data = low + (high - low) * torch.rand(tensor.shape, generator=generator)
    return model


def check_onnx(path, images, logits, names):
    """The faults of one ONNX file, and its difference from PyTorch."""
    file = onnx.load(str(path))
    onnx.checker.check_model(file, full_check=True)
    onnx.shape_inference.infer_shapes(file, strict_mode=True, check_type=True)
    faults = []
    if names is not None:
        found = {tensor.name for tensor in file.graph.initializer}
        missing = names - found
        if missing:
            faults.append(f"{len(missing)} initializers are missing, such as {sorted(missing)[0]}")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count in (1, len(images)):
        ours = session.run(None, {"input": images[:count].numpy()})[0]
        # NumPy's maximum is no number where one of the two is none.
        worst = float(numpy.maximum(worst, difference(ours, logits[:count].numpy())))
    if not worst <= MOST:
        faults.append(f"onnxruntime differs by {worst:.1e}")
    metadata = session.get_modelmeta().custom_metadata_map
    if "width_transfer.widths" not in metadata:
        faults.append("the widths are not in the metadata")
    return faults, worst


def check(executable, folder, name, weights, words, reference, side, channels):
    """The faults of all exports of one network; `reference` is a module with the same weights, or nothing."""
    faults, told = [], []
    source = folder / f"{name}.py"
    export(executable, "--weights", weights, *words, "--output", source)
    written = load_file(folder / f"{name}.safetensors")
    network = module(source)
    network.load_state_dict(written)
    network.eval()
    torch.manual_seed(1)
    images = torch.randn(5, channels, side, side)
    with torch.no_grad():
        logits = network(images)
    if reference is not None:
        reference.eval()
        with torch.no_grad():
            expected = reference(images)
        apart = difference(logits.numpy(), expected.numpy())
        told.append(f"module {apart:.0e}")
        if not apart <= 1e-5:
            faults.append(f"the module differs from torchvision's by {apart:.1e}")
        if set(reference.state_dict()) != set(network.state_dict()):
            faults.append("the module's state dict has other names than torchvision's")
        logits = expected
    # It trains.
    network.train()
    network(images).square().mean().backward()
    if any(parameter.grad is None for parameter in network.parameters()):
        faults.append("a parameter of the module gets no gradient")
    names = {key for key in written if not key.endswith("num_batches_tracked")}
    for how in ("keep", "fold"):
        path = folder / f"{name}-{how}.onnx"
        export(executable, "--weights", weights, *words, "--batch-norm", how, "--output", path)
        more, worst = check_onnx(path, images, logits, names if how == "keep" else None)
        faults += [f"{how}: {fault}" for fault in more]
        told.append(f"{how} {worst:.0e}")
    kinds = {node.op_type for node in onnx.load(str(folder / f"{name}-fold.onnx")).graph.node}
    told.append(f"{len(kinds)} kinds of nodes")
    return faults, told


def write_images(folder, side):
    """Four IDX files of random images."""
    generator = numpy.random.default_rng(0)
    folder.mkdir()
    for split, count in (("train", 64), ("t10k", 48)):
        pixels = generator.integers(0, 256, (count, side, side), dtype=numpy.uint8)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, count, side, side) + pixels.tobytes())
        labels = numpy.arange(count, dtype=numpy.uint8) % 10
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.tobytes())
    return pixels, labels


def trained(executable, folder, data, name, side):
    """Weights of a network after a few steps, and the loss that `evaluate` prints."""
    run = folder / f"run-{name}"
    words = ["--threads", "1", "--quiet"]
    network = folder / f"{name}.json"
    what = network if network.exists() else name
    subprocess.run(
        [executable, "train", "--network", what, *([] if network.exists() else ["--width", "0.25"]), "--divisor", "2",
         "--dataset", data, "--batch-size", "16", "--epochs", "4", "--learning-rate", "0.1", "--resolution", str(side),
         "--output", run, *words], check=True, stdout=subprocess.DEVNULL)
    weights = run / "model.safetensors"
    told = subprocess.run([executable, "evaluate", "--weights", weights, "--dataset", data, "--json", *words], check=True,
                          capture_output=True, text=True)
    return weights, json.loads(told.stdout)["loss"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    executable = arguments.executable
    failed = 0

    def tell(name, faults, told):
        nonlocal failed
        failed += bool(faults)
        print(f"{name:22} {'; '.join(faults) if faults else 'as PyTorch: ' + ', '.join(told)}", flush=True)

    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        for name in TORCHVISION[:2] if arguments.quick else TORCHVISION:
            model = shake(torchvision_models.model(name), 0)
            weights = folder / f"{name}-weights.safetensors"
            save_file(model.state_dict(), weights)
            side = 64 if name != "vgg11_bn" else 96
            # Of 96 pixels VGG's last maps have 3 a side, for an adaptive pool of 7.
            faults, told = check(
                executable, folder, name, weights, ["--network", name, "--resolution", side], model, side, 3)
            tell(name, faults, told)

        data, side = folder / "data", 32
        pixels, labels = write_images(data, side)
        (folder / "everything.json").write_text(everything())
        (folder / "others.json").write_text(others())
        for name in OWN[:1] if arguments.quick else OWN + ["everything", "others"]:
            weights, loss = trained(executable, folder, data, name, side)
            faults, told = check(executable, folder, name, weights, [], None, side, 1)
            # The loss on the held-out images, as onnxruntime sees them by what the file says.
            session = onnxruntime.InferenceSession(str(folder / f"{name}-fold.onnx"), providers=["CPUExecutionProvider"])
            said = session.get_modelmeta().custom_metadata_map
            mean, std = json.loads(said["width_transfer.mean"])[0], json.loads(said["width_transfer.std"])[0]
            images = ((pixels[:, None].astype(numpy.float32) / 255) - mean) / std
            scores = torch.from_numpy(session.run(None, {"input": images.astype(numpy.float32)})[0])
            own = float(torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels).long()))
            if not abs(own - loss) <= 1e-4 * max(1, abs(loss)):
                faults.append(f"its loss is {own:.6f} in onnxruntime, and {loss:.6f} by evaluate")
            told.append(f"loss {own:.4f}")
            tell(name, faults, told)
    print("all as PyTorch" if not failed else f"{failed} networks differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
