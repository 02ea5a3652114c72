"""Compares the weights that are read with PyTorch's; scripts/check-weights --help says more."""

import argparse
import collections
import json
import os
import pathlib
import pickle
import random
import subprocess
import sys
import tempfile

import torch
import torchvision_models
from safetensors.torch import load_file, save_file

NETWORKS = ["resnet18", "mobilenet_v2", "shufflenet_v2_x0_5", "squeezenet1_1", "efficientnet_b0"]


class Program:
    """What runs a program when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def forms(model, folder):
    """Files of one network that must be read: (what it is, path, tensors by name)."""
    plain = model.state_dict()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    plain = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    saved = collections.OrderedDict(model.state_dict())

    def write(what, content, expected, **more):
        path = folder / f"{what.replace(' ', '-')}.pth"
        torch.save(content, path, **more)
        return what, path, expected

    yield write("state dict", model.state_dict(), plain)
    yield write("plain dict", dict(plain), plain)
    yield write("before 1.6", model.state_dict(), plain, _use_new_zipfile_serialization=False)
    yield write("protocol 4", model.state_dict(), plain, pickle_protocol=4)
    checkpoint = {"epoch": 3, "lr": 0.1, "args": argparse.Namespace(rate=1e-3, names=["a"]), "best": None, "state_dict": saved,
                  "optimizer": optimizer.state_dict(), "random": torch.get_rng_state()}
    yield write("checkpoint", checkpoint, plain)
    yield write("checkpoint before 1.6", {"model": saved, "epoch": 90}, plain, _use_new_zipfile_serialization=False)
    yield write("two networks", {"model_ema": saved, "model": plain}, plain)
    yield write("parameters", dict(model.named_parameters()), dict(model.named_parameters()))
    yield write("wrapped", torch.nn.DataParallel(model).state_dict(), {f"module.{name}": value for name, value in plain.items()})
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        other = {name: value.to(kind) if value.is_floating_point() else value for name, value in plain.items()}
        yield write(str(kind), other, other)
    last = {name: value.to(memory_format=torch.channels_last) if value.ndim == 4 else value for name, value in plain.items()}
    yield write("channels last", last, plain)
    turned = {name: value.t().contiguous().t() if value.ndim == 2 else value for name, value in plain.items()}
    yield write("transposed", turned, plain)
    flat = torch.cat([value.flatten() for value in plain.values() if value.dtype == torch.float32])
    views, start = {}, 0
    for name, value in plain.items():
        if value.dtype == torch.float32:
            views[name] = flat[start:start + value.numel()].view(value.shape)
            start += value.numel()
    yield write("views of one", views, views)
    names = sorted(plain)
    shards = {f"model-0000{number + 1}-of-00003.safetensors": names[number::3] for number in range(3)}
    for shard, part in shards.items():
        save_file({name: plain[name] for name in part}, folder / shard, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {name: shard for shard, part in shards.items() for name in part}}))
    yield "shards", index, plain


def refused(model, folder):
    """Files that must be refused: (what it is, path)."""
    trace = folder / "trace"
    torch.save(model, folder / "module.pth")
    yield "a whole module", folder / "module.pth"
    torch.jit.trace(model.eval(), torch.zeros(1, 3, 64, 64)).save(folder / "script.pt")
    yield "TorchScript", folder / "script.pt"
    torch.save(Program(trace), folder / "program.pth")
    yield "a program", folder / "program.pth"
    torch.save([1, 2, 3], folder / "list.pth")
    yield "a list", folder / "list.pth"
    torch.save({"epoch": 1, "loss": [0.5]}, folder / "nothing.pth")
    yield "no tensors", folder / "nothing.pth"
    (folder / "pickle.pkl").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    yield "another pickle", folder / "pickle.pkl"
    index = folder / "outside.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../model-00001-of-00003.safetensors"}}))
    yield "shards elsewhere", index
    index = folder / "absent.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "absent.safetensors"}}))
    yield "shards that are not there", index


def read(executable, path, output):
    return subprocess.run([f"{executable}-bench", "read-weights", "--weights", str(path), "--output", str(output)],
                          capture_output=True, text=True, check=False)


def equal(ours, expected):
    return ours.keys() == expected.keys() and all(
        ours[name].dtype == value.dtype and ours[name].shape == value.shape
        and torch.equal(ours[name].contiguous().view(torch.uint8) if value.ndim else ours[name],
                        value.detach().contiguous().view(torch.uint8) if value.ndim else value)
        for name, value in expected.items())


def damaged(executable, path, folder, count=400):
    """How a file with random damage ends: it is read or refused, but nothing else."""
    draw, content, ends = random.Random(1), path.read_bytes(), collections.Counter()
    head = min(len(content), 20000)
    for _ in range(count):
        broken = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(head) if draw.random() < 0.7 else len(broken) - 1 - draw.randrange(min(len(broken), 8000))
            broken[place] = draw.randrange(256)
        if draw.random() < 0.2:
            del broken[draw.randrange(len(broken)):]
        (folder / "damaged.pth").write_bytes(broken)
        ends[read(executable, folder / "damaged.pth", folder / "damaged.safetensors").returncode] += 1
    return ends


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    passed = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        output = folder / "read.safetensors"
        for network in NETWORKS:
            model = torchvision_models.model(network, num_classes=10)
            for what, path, expected in forms(model, folder):
                answer = read(arguments.executable, path, output)
                good = answer.returncode == 0 and equal(load_file(output), expected)
                passed &= good
                print(f"{network:22}{what:24}{len(expected):5} tensors   {'ok' if good else 'FAILED ' + answer.stderr}")
        for what, path in refused(model, folder):
            answer = read(arguments.executable, path, output)
            good = answer.returncode == 1 and not (folder / "trace").exists()
            passed &= good
            print(f"{what:46}{answer.returncode:5}           {'ok' if good else 'FAILED'}   {answer.stderr.strip()[-160:]}")
        small = {f"layer{index}.weight": torch.randn(3, 4) for index in range(6)}
        for modern in (True, False):
            torch.save({"model": small, "epoch": 1}, folder / "small.pth", _use_new_zipfile_serialization=modern)
            ends = damaged(arguments.executable, folder / "small.pth", folder)
            passed &= set(ends) <= {0, 1}
            print(f"400 damaged files {'since' if modern else 'before'} 1.6: {dict(ends)}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
