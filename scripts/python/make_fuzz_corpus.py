"""Makes the sound files that scripts/fuzz damages, by programs other than the one that is to read them."""

import argparse
import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
import warnings

import numpy
import onnx
import torch
from PIL import Image
from safetensors.numpy import save_file

import check_images

SIDE = 12


def small_images():
    """Names and contents of small JPEG and PNG files of many kinds."""
    with tempfile.TemporaryDirectory() as folder:
        check_images.make_kinds(folder)
        found = []
        for place, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                with open(os.path.join(place, name), "rb") as file:
                    found.append((f"{len(found):03}-{name}", file.read()))
    # Small files are read faster and have more of their bytes where it matters.
    return [(name, content) for name, content in found if len(content) < 20_000]


def tiny(index, form):
    pixels = numpy.random.default_rng(index).integers(0, 255, (SIDE, SIDE, 3), dtype=numpy.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, form)
    return content.getvalue()


def archive(members, mode):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as file:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return content.getvalue()


def archives():
    folders = [(f"{split}/{kind}/{index}.{form.lower()}", tiny(index, form)) for split in ("train", "val") for kind in "ab"
               for index, form in enumerate(("JPEG", "PNG"))]
    shards = [part for index in range(6)
              for part in ((f"{index}.cls", str(index % 2).encode()), (f"{index}.jpg", tiny(index, "JPEG")))]
    cifar = [(f"cifar-10-batches-bin/{name}", bytes([index]) + bytes(range(256)) * 12)
             for index, name in enumerate(("data_batch_1.bin", "test_batch.bin"))]
    for name, members in (("folders", folders), ("shards", shards), ("cifar", cifar)):
        for mode, ending in (("w", "tar"), ("w:gz", "tar.gz"), ("w:bz2", "tar.bz2"), ("w:xz", "tar.xz")):
            yield f"{name}.{ending}", archive(members, mode)


def idx(shape, data):
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", size) for size in shape) + data


def idx_files():
    for split, count in (("train", 5), ("t10k", 3)):
        images = idx((count, 4, 4), bytes(range(16)) * count)
        yield f"{split}-images-idx3-ubyte" + ("" if split == "train" else ".gz"), images if split == "train" else gzip.compress(images)
        yield f"{split}-labels-idx1-ubyte", idx((count,), bytes(index % 3 for index in range(count)))


def write(folder, files):
    os.makedirs(folder)
    for name, content in files:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


def write_models(folder):
    """A network of few numbers and many operators, as PyTorch exports it."""

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
            self.bn = torch.nn.BatchNorm2d(4)
            self.gate = torch.nn.Conv2d(4, 4, 1)

        def forward(self, x):
            y = torch.nn.functional.silu(self.bn(self.conv(x)))
            return x + y * torch.sigmoid(self.gate(y.mean((2, 3), keepdim=True)))

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU6(), Block(), Block(), torch.nn.GELU(),
        torch.nn.MaxPool2d(2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 3), torch.nn.Softmax(1)).eval()

    class Mixer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.linear = torch.nn.LayerNorm(8), torch.nn.Linear(8, 8)
            self.group, self.scale = torch.nn.GroupNorm(2, 8), torch.nn.Parameter(torch.ones(8, 1, 1))

        def forward(self, x):
            y = self.linear(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
            one, other = (x + self.scale * y).chunk(2, 1)
            y = torch.cat((one - 0.5 * other, one), 1)
            y = y.reshape(-1, 2, 4, 10, 10).transpose(1, 2).reshape(-1, 8, 10, 10)
            y = self.group(torch.nn.functional.pad(y, (0, 1, 0, 1)))
            return torch.nn.functional.interpolate(y, scale_factor=2)

    mixed = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), Mixer(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 3)).eval()

    class Weigher(torch.nn.Module):
        """TensorFlow's padding, a global response normalization, and numbers that are learnt."""

        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3, stride=2)
            self.weight, self.bias = torch.nn.Parameter(torch.rand(4)), torch.nn.Parameter(torch.rand(4))
            self.scale, self.shift = torch.nn.Parameter(torch.tensor([1.5])), torch.nn.Parameter(torch.tensor(0.5))

        def forward(self, x):
            size = torch.as_tensor(x.shape[2])
            missing = torch.clamp((torch.ceil(size / 2) - 1) * 2 + 3 - size, min=0)
            low = (missing / 2).to(torch.int64)
            high = (missing - low).to(torch.int64)
            x = self.conv(torch.nn.functional.pad(x, (low, high, low, high)))
            norms = x.norm(p=2, dim=(2, 3), keepdim=True)
            share = norms / (norms.mean(dim=1, keepdim=True) + 1e-6)
            x = x + torch.addcmul(self.bias.view(1, -1, 1, 1), self.weight.view(1, -1, 1, 1), x * share)
            return self.scale * x + self.shift

    class Named(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = Weigher(), torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.last(self.first(x).mean((2, 3)))

    class Normalizer(torch.nn.Module):
        """Bytes, normalized inside, and functions of each number."""

        def __init__(self):
            super().__init__()
            self.register_buffer("means", torch.rand(3, 1, 1))
            self.conv, self.slopes, self.last = torch.nn.Conv2d(3, 4, 3), torch.nn.PReLU(4), torch.nn.Linear(4, 3)

        def forward(self, x):
            x = self.slopes(self.conv((x.float() / 255 - self.means) / 0.25))
            x = torch.nn.functional.mish(torch.nn.functional.elu(torch.tanh(x))).clamp(-0.5, 0.75) ** 2
            return self.last(torch.nn.functional.celu(torch.nn.functional.softsign(x)).mean((2, 3)))

    class Brancher(torch.nn.Module):
        """Pixels as channels, standardized weights, a mirrored border, a fixed filter, split attention, a context, a resized gate."""

        def __init__(self):
            super().__init__()
            self.stem = torch.nn.Conv2d(12, 8, 3, padding=1)
            self.gain = torch.nn.Parameter(torch.rand(8, 1, 1, 1))
            self.fc, self.scores = torch.nn.Conv2d(4, 8, 1), torch.nn.Conv2d(4, 1, 1)
            self.register_buffer("filt", torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]).repeat(8, 1, 1, 1) / 16)
            self.last = torch.nn.Linear(4, 3)

        def forward(self, x):
            batch, channels, height, width = x.shape
            x = x.view(batch, channels, height // 2, 2, width // 2, 2).permute(0, 3, 5, 1, 2, 4)
            x = x.reshape(batch, 4 * channels, height // 2, width // 2)
            weight = torch.nn.functional.batch_norm(self.stem.weight.reshape(1, 8, -1), None, None, weight=(self.gain * 0.2).view(-1),
                                                    training=True, momentum=0.0, eps=1e-6).reshape_as(self.stem.weight)
            x = torch.nn.functional.conv2d(x, weight, self.stem.bias, padding=1)
            x = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, groups=8)
            x = x.reshape(batch, 2, 4, height // 2, width // 2)
            shares = self.fc(x.sum(1).mean((2, 3), keepdim=True)).view(batch, 2, 4, 1, 1).softmax(1)
            x = (x * shares).sum(1)
            places = self.scores(x).reshape(batch, 1, -1).softmax(-1).unsqueeze(3)
            x = x + (x.reshape(batch, 4, -1).unsqueeze(1) @ places).view(batch, 4, 1, 1)
            gate = torch.nn.functional.avg_pool2d(x, 4)
            x = torch.nn.functional.leaky_relu(x, 0.2) * torch.nn.functional.interpolate(gate, size=x.shape[2:], mode="nearest")
            return self.last(x.mean((2, 3)))

    class Attentive(torch.nn.Module):
        """Windows as images, a layer normalization of tokens, attention with a table of positions, a border of another number."""

        def __init__(self):
            super().__init__()
            self.stem, self.norm, self.out = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.LayerNorm(8), torch.nn.Conv2d(8, 8, 1)
            self.qkv, self.fc, self.last = torch.nn.Linear(8, 24), torch.nn.Linear(8, 8), torch.nn.Linear(8, 3)
            self.table = torch.nn.Parameter(torch.rand(2, 36))
            self.register_buffer("places", torch.arange(9)[:, None] // 3 * 4 + torch.arange(9)[None] // 2)

        def forward(self, x):
            x = self.stem(x)
            batch, channels, height, width = x.shape
            tokens = x.reshape(batch, channels, height // 3, 3, width // 3, 3).permute(0, 2, 4, 3, 5, 1).reshape(-1, 9, channels)
            q, k, v = self.qkv(self.norm(tokens)).reshape(-1, 9, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
            shares = (q @ k.transpose(-2, -1) * 0.5 + self.table[:, self.places.view(-1)].view(2, 9, 9)).softmax(-1)
            tokens = tokens + self.fc((shares @ v).transpose(1, 2).reshape(-1, 9, channels))
            x = tokens.reshape(batch, height // 3, width // 3, 3, 3, channels).permute(0, 5, 1, 3, 2, 4)
            x = x.reshape(batch, channels, height, width)
            x = self.out(x / (x * x).mean(1, keepdim=True).add(1).sqrt())
            x = torch.nn.functional.pad(x, (1, 0, 0, 1), value=-1.0)[:, :, ::2, 1:]
            return self.last(torch.nn.functional.max_pool2d(x, 2).mean((2, 3)))

    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    open_batch = {"input_names": ["image"], "dynamic_axes": {"image": {0: "batch"}}}
    for name, model, arguments in (("folded", network, {}), ("kept", network, kept), ("mixed", mixed, {}),
                                   ("weighed", Named().eval(), kept | open_batch), ("branched", Brancher().eval(), kept | open_batch),
                                   ("attentive", Attentive().eval(), kept | open_batch),
                                   ("normalizing", Normalizer().eval(), open_batch)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = torch.zeros(1, 3, 12, 12, dtype=torch.uint8 if name == "normalizing" else torch.float32)
            torch.onnx.export(model, pixels, os.path.join(folder, name), dynamo=False, **arguments)


def write_inlined(path):
    """A model with a function that calls another, and an If of a constant."""
    helper, kinds = onnx.helper, onnx.TensorProto

    def branch(operator, result):
        return helper.make_graph([helper.make_node(operator, ["b"], [result])], result, [],
                                 [helper.make_tensor_value_info(result, kinds.FLOAT, None)])

    opset = helper.make_opsetid("", 17)
    leak = helper.make_node("LeakyRelu", ["x"], ["y"])
    leak.attribute.append(onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope"))
    inner = helper.make_function("own", "Leak", ["x"], ["y"], [leak], [opset], ["slope"])
    outer = helper.make_function("own", "Block", ["x"], ["y"], [helper.make_node("Leak", ["x"], ["y"], domain="own", slope=0.25)],
                                 [opset, helper.make_opsetid("own", 1)])
    nodes = [helper.make_node("Conv", ["image", "conv.weight"], ["a"]), helper.make_node("Block", ["a"], ["b"], domain="own"),
             helper.make_node("If", ["truth"], ["c"], then_branch=branch("Relu", "t"), else_branch=branch("Sigmoid", "e")),
             helper.make_node("GlobalAveragePool", ["c"], ["d"]), helper.make_node("Flatten", ["d"], ["result"])]
    weights = [onnx.numpy_helper.from_array(numpy.ones((4, 3, 3, 3), numpy.float32), "conv.weight"),
               onnx.numpy_helper.from_array(numpy.array(True), "truth")]
    graph = helper.make_graph(nodes, "inlined", [helper.make_tensor_value_info("image", kinds.FLOAT, ["n", 3, 12, 12])],
                              [helper.make_tensor_value_info("result", kinds.FLOAT, None)], weights)
    onnx.save(helper.make_model(graph, opset_imports=[opset, helper.make_opsetid("own", 1)], functions=[inner, outer], ir_version=8), path)


def documents(executable, attentive):
    """Texts that people write or programs exchange; a network with a part that is passed comes of an ONNX file."""
    def output(*words):
        return subprocess.run([executable, *words], check=True, capture_output=True).stdout

    network = output("inspect", "--network", "resnet20", "--width", "0.25", "--format", "network")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "attentive.onnx")
        shutil.copy(attentive, path)
        passed = output("inspect", "--network", path, "--format", "network")
    widths = {"network": "resnet20", "algorithm": "dmcp", "macs": 40_000_000, "widths": {"conv1": 12, "layer1.0.conv1": 5},
              "multipliers": {"conv1": 0.75}}
    small = {"name": "small", "input": {"channels": 3, "height": 8, "width": 8}, "layers": [
        {"name": "conv", "inputs": ["input"], "operation": {"kind": "convolution", "outputChannels": 4, "kernelSize": 3}},
        {"name": "mean", "inputs": ["conv"], "operation": {"kind": "globalAveragePool"}},
        {"name": "fc", "inputs": ["mean"], "operation": {"kind": "linear", "outputFeatures": 2}}]}
    with tempfile.TemporaryDirectory() as folder:
        path, table = os.path.join(folder, "small.json"), os.path.join(folder, "table.json")
        with open(path, "w") as file:
            json.dump(small, file)
        output("latency", "measure", "--network", path, "--output", table, "--quiet")
        with open(table, "rb") as file:
            latency = file.read()
    structure = (b"stages:\n- name: layer1\n  blocks: [layer1.0, [layer1.1], layer1.2]\n"
                 b"fixed: [conv1]\ngroups: [[layer2.0.conv1, layer2.1.conv1]]\n")
    recipe = b"epochs: 30\nbatch-size: 128\nlearning-rate: 0.1\ndecay: step\nweight-decay: 0.0005\nlabel-smoothing: 0.1\n"
    return [("network.json", network), ("network-passed.json", passed), ("widths.json", json.dumps(widths).encode()),
            ("latency.json", latency),
            ("structure.yaml", structure), ("recipe.yaml", recipe)]


def write_weights(folder):
    """Tensors as safetensors, in shards, and as both forms of torch.save."""
    os.makedirs(folder)
    tensors = {"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "b": numpy.array(3, dtype=numpy.int64),
               "c": numpy.zeros((0, 4), dtype=numpy.uint8)}
    save_file(tensors, os.path.join(folder, "small.safetensors"), metadata={"format": "pt"})
    shards = {"a": "shard-1.safetensors", "b": "shard-2.safetensors"}
    for name, shard in shards.items():
        save_file({name: tensors[name]}, os.path.join(folder, shard))
    with open(os.path.join(folder, "sharded.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": 32}, "weight_map": shards}, file)
    layer = torch.nn.Linear(3, 2)
    state = layer.state_dict()
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}, "best": 0.5,
               "half": torch.arange(4).reshape(2, 2).t().to(torch.bfloat16)}
    torch.save(wrapped, os.path.join(folder, "zipped.pth"))
    torch.save(state, os.path.join(folder, "legacy.pth"), _use_new_zipfile_serialization=False)


def write_runs(executable, folder):
    """What train, run and compare leave: a folder each."""
    small = {"name": "small", "input": {"channels": 3, "height": 8, "width": 8}, "layers": [
        {"name": "conv", "inputs": ["input"], "operation": {"kind": "convolution", "outputChannels": 8, "kernelSize": 3}},
        {"name": "bn", "inputs": ["conv"], "operation": {"kind": "batchNorm"}},
        {"name": "relu", "inputs": ["bn"], "operation": {"kind": "relu"}},
        {"name": "second", "inputs": ["relu"], "operation": {"kind": "convolution", "outputChannels": 8, "kernelSize": 3}},
        {"name": "bn2", "inputs": ["second"], "operation": {"kind": "batchNorm"}},
        {"name": "relu2", "inputs": ["bn2"], "operation": {"kind": "relu"}},
        {"name": "mean", "inputs": ["relu2"], "operation": {"kind": "globalAveragePool"}},
        {"name": "fc", "inputs": ["mean"], "operation": {"kind": "linear", "outputFeatures": 2}}]}
    with tempfile.TemporaryDirectory() as place:
        network, data = os.path.join(place, "small.json"), os.path.join(place, "data.tar")
        with open(network, "w") as file:
            json.dump(small, file)
        with open(data, "wb") as file:
            file.write(next(content for name, content in archives() if name == "folders.tar"))
        words = ["--network", network, "--dataset", data, "--resolution", "8", "--batch-size", "2", "--threads", "1", "--quiet",
                 "--divisor", "1"]
        for name, more in (("train", ["train", "--epochs", "8", "--track", "weight-norms"]),
                           ("search", ["search", "--algorithm", "dmcp", "--epochs", "1", "--search-epochs", "1"]),
                           ("run", ["run", "--algorithm", "dmcp", "--epochs", "1", "--search-epochs", "1"]),
                           ("compare", ["compare", "--algorithm", "uniform", "--algorithm", "dmcp", "--epochs", "1", "--search-epochs", "1",
                                         "--seeds", "2"])):
            output = os.path.join(folder, name)
            subprocess.run([executable, *more, *words, "--output", output], check=True, stdout=subprocess.DEVNULL)
            # What `report` and `diagnose` read: not pages, nor what the next start of the same command needs.
            for path, _, files in list(os.walk(output)):
                for one in files:
                    keep = one.endswith((".json", ".jsonl", ".yaml")) or (name == "train" and one.endswith(".safetensors"))
                    if not keep or os.path.basename(path) == "checkpoints":
                        os.unlink(os.path.join(path, one))
        # A comparison that started from a diagnosis.
        subprocess.run([executable, "diagnose", os.path.join(folder, "train"), "--output", os.path.join(folder, "compare")], check=True,
                       stdout=subprocess.DEVNULL)
        os.unlink(os.path.join(folder, "compare", "diagnosis.html"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    write(os.path.join(options.output, "images"), small_images())
    write(os.path.join(options.output, "archives"), archives())
    write(os.path.join(options.output, "idx"), idx_files())
    write(os.path.join(options.output, "cifar"),
          [(name, (bytes([label]) + bytes(range(256)) * 12) * 2) for label, name in enumerate(("data_batch_1.bin", "test_batch.bin"))]
          + [("batches.meta.txt", b"\n".join(b"class%d" % index for index in range(10)))])
    packed = os.path.join(options.output, "packed")
    os.makedirs(packed)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in archives():
            if name == "folders.tar":
                path = os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(content)
                for encoding in ("source", "raw"):
                    subprocess.run([options.executable, "data", "pack", path, "--output", os.path.join(packed, encoding),
                                    "--encoding", encoding, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    write_weights(os.path.join(options.output, "weights"))
    checkpoints = os.path.join(options.output, "checkpoints")
    os.makedirs(checkpoints)
    save_file({"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "b": numpy.array(3, dtype=numpy.int64)},
              os.path.join(checkpoints, "step-7.safetensors"),
              metadata={"checkpoint": "1", "step": "7", "identity": '{"recipe":{"epochs":3},"seed":0}', "state": '{"epoch":2}'})
    write_runs(options.executable, os.path.join(options.output, "runs"))
    models = os.path.join(options.output, "onnx")
    os.makedirs(models)
    write_models(models)
    write_inlined(os.path.join(models, "inlined"))
    write(os.path.join(options.output, "documents"), documents(options.executable, os.path.join(models, "attentive")))


if __name__ == "__main__":
    main()
