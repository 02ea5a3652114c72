"""Imports networks as torch.onnx writes them; scripts/check-onnx-import --help says more."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
import torchvision_models
import torchvision

TRANSFORMERS = ("vit", "swin", "maxvit")


def costs(network, image):
    """Multiply-accumulates of convolutions and linear layers, and learnable numbers."""
    macs = 0

    def count(module, inputs, output):
        nonlocal macs
        if isinstance(module, torch.nn.Conv2d):
            macs += output.numel() * module.weight[0].numel()
        elif isinstance(module, torch.nn.Linear):
            macs += output.numel() * module.in_features

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return macs, sum(parameter.numel() for parameter in network.parameters())


def make(name):
    """A network in evaluation mode without auxiliary heads, and its image."""
    arguments = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision_models.model(name, **arguments).eval()
    if name in ("googlenet", "inception_v3"):
        network.aux_logits = False
        network.aux1 = network.aux2 = network.AuxLogits = None
    side = 299 if name == "inception_v3" else 224
    return network, torch.zeros(1, 3, side, side)


def export(network, image, path, keeps):
    """The default export, or the one that keeps batch normalization."""
    more = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if keeps else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, image, str(path), dynamo=False, opset_version=17, input_names=["image"],
                          dynamic_axes={"image": {0: "batch"}}, **more)


def dropped_biases(network):
    """What a folded bias before a batch normalization counted: it comes back as none."""
    modules = list(network.modules())
    return sum(one.bias.numel() for one, other in zip(modules, modules[1:])
               if isinstance(one, torch.nn.Conv2d) and one.bias is not None and isinstance(other, torch.nn.BatchNorm2d))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    parser.add_argument("--largest", type=float, default=1e9, help="leave out networks with more parameters")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    names = arguments.names or [name for name in torchvision.models.list_models(module=torchvision.models)
                                if not name.startswith(TRANSFORMERS)]
    read = refused = wrong = 0
    print("| network | export | parameters | MACs, M | groups | blocks in stages | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place:
        for name in names:
            network, image = make(name)
            if sum(parameter.numel() for parameter in network.parameters()) > arguments.largest:
                continue
            macs, parameters = costs(network, image)
            for keeps in (False, True):
                path = pathlib.Path(place) / f"{name}.onnx"
                export(network, image, path, keeps)
                done = subprocess.run([arguments.executable, "inspect", str(path), "--json"], capture_output=True, text=True)
                how = "kept" if keeps else "folded"
                if done.returncode:
                    refused += 1
                    reason = done.stderr.strip().split(f"{path}: ")[-1]
                    print(f"| {name} | {how} | {parameters:,} | {macs / 1e6:.1f} | | | refused: {reason[:150]} |", flush=True)
                    continue
                found = json.loads(done.stdout)
                expected = parameters - (0 if keeps else dropped_biases(network))
                isRight = found["macs"] == macs and found["parameters"] == expected
                read += isRight
                wrong += not isRight
                blocks = " ".join(str(len(stage["blocks"])) for stage in found["stages"]) or "–"
                print(f"| {name} | {how} | {parameters:,} | {macs / 1e6:.1f} | {len(found['widthGroups'])} | {blocks} | "
                      + ("" if isRight else f"**has {found['parameters']:,} and {found['macs'] / 1e6:.1f}**") + " |", flush=True)
                path.unlink()
    print(f"\n{read} files read with PyTorch's counts, {wrong} with others, {refused} refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
