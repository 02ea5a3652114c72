"""Compares diagnosis and merging with NumPy and PyTorch forms of their sources; see scripts/check-diagnosis."""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

failures = []


def check(name, holds, detail=""):
    print(("ok      " if holds else "FAILED  ") + name + (f" ({detail})" if detail else ""), flush=True)
    if not holds:
        failures.append(name)


def draw(folder, seed=0):
    """Classes of stripes in noise that take some epochs to learn, as folders of PNG files."""
    rng = np.random.default_rng(seed)
    for part, count in (("train", 48), ("val", 12)):
        for label in range(4):
            place = folder / part / f"class{label}"
            place.mkdir(parents=True)
            for index in range(count):
                y, x = np.mgrid[0:16, 0:16]
                wave = [np.sin(x * 0.8), np.sin(y * 0.8), np.sin((x + y) * 0.6), np.sin((x - y) * 0.6)][label]
                noise = rng.normal(0, 60, (16, 16, 3))
                pixels = np.clip(128 + 50 * wave[..., None] * rng.choice([-1, 1]) + noise, 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(place / f"{index}.png")


def run(executable, *words):
    return subprocess.run([executable, *map(str, words)], check=True, capture_output=True, text=True).stdout


def rows(weight, axis):
    """The entries of each channel as a row, axis 0 or 1."""
    return np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)


# ---- The metric -----------------------------------------------------------------------------------------------------------


def resnet20_groups(weights):
    """(tensor, axis) of every group of ResNet20, written from the paper's description and no graph; projections left out."""
    groups = {"conv1": [("conv1.weight", 0)]}
    for stage in (1, 2, 3):
        stream = "conv1" if stage == 1 else f"layer{stage}.0.conv2"
        groups.setdefault(stream, [])
        for block in range(3):
            name = f"layer{stage}.{block}"
            groups[f"{name}.conv1"] = [(f"{name}.conv1.weight", 0), (f"{name}.conv2.weight", 1)]
            groups[stream].append((f"{name}.conv2.weight", 0))
            if block > 0 or stage == 1:
                groups[stream].append((f"{name}.conv1.weight", 1))
        following = f"layer{stage + 1}.0.conv1.weight" if stage < 3 else "fc.weight"
        groups[stream].append((following, 1))
    return groups


def vgg_groups(weights):
    convolutions = [name for name in weights if name.startswith("features") and weights[name].ndim == 4]
    convolutions.sort(key=lambda name: int(name.split(".")[1]))
    following = convolutions[1:] + ["classifier.weight"]
    return {a.removesuffix(".weight"): [(a, 0), (b, 1)] for a, b in zip(convolutions, following, strict=True)}


def variance(weights, members):
    """The released code: the product of norms over tensors, over its mean, and torch.var of that (unbiased)."""
    product = 1.0
    for tensor, axis in members:
        product = product * torch.from_numpy(rows(weights[tensor].astype(np.float64), axis)).norm(dim=1)
    return torch.var(product / product.mean()).item()


def compare_metric(executable, folder, network, groups):
    series = [json.loads(line) for line in (folder / "weight-norms/series.jsonl").read_text().splitlines()]
    weights = load_file(folder / "model.safetensors")
    last = max(sample["epoch"] for sample in series)
    ours = {s["group"]: s["var"] for s in series if s["epoch"] == last and s["mode"] == "product"}
    theirs = {group: variance(weights, members) for group, members in groups(weights).items()}
    worst = np.max([abs(ours[g] / theirs[g] - 1) for g in theirs])
    check(f"{network}: V of every group as the released code has it", set(ours) == set(theirs) and worst < 1e-5, f"{worst:.1e}")


# ---- Merging --------------------------------------------------------------------------------------------------------------


def numpy_merge(weights, groups, mode, beta):
    """Section 3 of the paper for chains of layers: `groups` maps each group to its tensors, as (tensor, axis, is a reader)."""
    weights = {name: value.astype(np.float64) for name, value in weights.items()}
    members = {g: [[i] for i in range(weights[m[0][0]].shape[m[0][1]])] for g, m in groups.items()}
    initial = {g: len(m) for g, m in members.items()}
    sweeps = 0
    while True:
        merged = False
        for group, places in groups.items():
            n = len(members[group])
            if sweeps >= initial[group] or n < 2:
                continue
            gram = sum(rows(weights[t], a) @ rows(weights[t], a).T for t, a, _ in places if weights[t].ndim > 1)
            distance = np.diag(gram)[:, None] + np.diag(gram)[None, :] - gram - gram.T
            upper = np.triu_indices(n, 1)
            closest = np.argmin(distance[upper])
            if distance[upper][closest] > beta * distance[upper].max():
                continue
            i, j = upper[0][closest], upper[1][closest]
            mi, mj = len(members[group][i]), len(members[group][j])
            for tensor, axis, reads in places:
                matrix = np.moveaxis(weights[tensor], axis, 0)
                adds = reads if mode == "mean-sum" else not reads
                new = matrix[i] + matrix[j] if adds else (mi * matrix[i] + mj * matrix[j]) / (mi + mj)
                matrix = np.concatenate([np.delete(matrix, [i, j], 0), new[None]])
                weights[tensor] = np.moveaxis(matrix, 0, axis)
            old = members[group]
            members[group] = [m for k, m in enumerate(old) if k not in (i, j)] + [old[i] + old[j]]
            merged = True
        sweeps += 1
        if not merged:
            return members, weights


def vgg_places(weights):
    places = {}
    for group, ((own, _), (following, _)) in vgg_groups(weights).items():
        layer = int(group.split(".")[1])
        numbers = [f"{group}.bias"] + [f"features.{layer + 1}.{n}" for n in ("weight", "bias", "running_mean", "running_var")]
        places[group] = [(own, 0, False)] + [(n, 0, False) for n in numbers if n in weights] + [(following, 1, True)]
    return places


def folded(weights):
    result = {}
    for name, value in weights.items():
        if name.startswith("classifier"):
            result[name] = value.astype(np.float64)
    for group in vgg_groups(weights):
        norm = f"features.{int(group.split('.')[1]) + 1}"
        scale = weights[f"{norm}.weight"].astype(np.float64) / np.sqrt(weights[f"{norm}.running_var"].astype(np.float64) + 1e-5)
        result[f"{group}.weight"] = weights[f"{group}.weight"] * scale[:, None, None, None]
        result[f"{group}.bias"] = weights[f"{norm}.bias"] + (weights[f"{group}.bias"] - weights[f"{norm}.running_mean"]) * scale
    return result


def compare_merging(executable, file, label, scratch):
    for mode in ("mean-sum", "paper", "folded-paper"):
        for beta in (0.3, 0.7, 0.8):
            output = scratch / f"{label}-{mode}-{beta}"
            record = json.loads(run(executable, "merge", file, "--mode", mode, "--threshold", beta, "--output", output, "--json"))
            weights = {n: v for n, v in load_file(file).items() if not n.endswith("num_batches_tracked")}
            if mode == "folded-paper":
                weights = folded(weights)
            members, expected = numpy_merge(weights, vgg_places(weights), "mean-sum" if mode == "mean-sum" else "paper", beta)
            equal = {g: m for g, m in record["members"].items()} == members
            ours = load_file(output / "model.safetensors")
            worst = np.max(
                [np.abs(ours[n] - v).max() / max(np.abs(v).max(), 1e-9) if ours[n].shape == v.shape else np.inf
                 for n, v in expected.items()])
            left = sum(map(len, members.values())) / sum(len(x) for m in members.values() for x in m)
            check(f"merge {label}, {mode}, β {beta}: equal lists and weights", equal and worst < 1e-5, f"{left:.0%} left, {worst:.1e}")


# ---- A series of another program ------------------------------------------------------------------------------------------


def train_by_pytorch(folder, epochs):
    """A plain PyTorch training of a small VGG under torchvision's names, weights saved after each epoch."""
    torch.manual_seed(0)
    layers, channels = [], 3
    for width in (16, "M", 24, "M", 32, 32, "M"):
        if width == "M":
            layers.append(torch.nn.MaxPool2d(2))
            continue
        layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.BatchNorm2d(width), torch.nn.ReLU()]
        channels = width
    model = torch.nn.Module()
    model.features = torch.nn.Sequential(*layers)
    model.classifier = torch.nn.Linear(32, 4)
    rng = np.random.default_rng(1)
    labels = torch.arange(192) % 4
    y, x = np.mgrid[0:16, 0:16]
    waves = np.stack([np.sin(x * 0.8), np.sin(y * 0.8), np.sin((x + y) * 0.6), np.sin((x - y) * 0.6)])
    images = torch.from_numpy((waves[labels] + rng.normal(0, 1.2, (192, 16, 16)))[:, None].repeat(3, 1).astype(np.float32))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    def save(epoch):
        state = {f"module._orig_mod.{n}": t.detach().numpy().copy() for n, t in model.state_dict().items()}
        save_file(state, folder / f"epoch{epoch}.safetensors")

    save(0)
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(192).split(32):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model.classifier(model.features(images[batch]).mean((2, 3))), labels[batch])
            loss.backward()
            optimizer.step()
        schedule.step()
        save(epoch)


def network_json(path):
    """The network of `train_by_pytorch` in this project's form."""
    layers, blocks, top, channels = [], [], "input", 0

    def add(name, inputs, **operation):
        layers.append({"name": name, "operation": operation, "inputs": [inputs]})
        return name

    for width in (16, "M", 24, "M", 32, 32, "M"):
        index = channels
        if width == "M":
            top = add(f"features.{index}", top, kind="maxPool", kernelSize=2, stride=2)
            channels += 1
            continue
        top = add(f"features.{index}", top, kind="convolution", outputChannels=width, kernelSize=3, padding=1, hasBias=True)
        top = add(f"features.{index + 1}", top, kind="batchNorm", epsilon=1e-5, momentum=0.1)
        top = add(f"features.{index + 2}", top, kind="relu")
        channels += 3
    top = add("avgpool", top, kind="globalAveragePool")
    top = add("flatten", top, kind="flatten")
    add("classifier", top, kind="linear", outputFeatures=4)
    document = {"name": "small", "input": {"channels": 3, "height": 16, "width": 16}, "layers": layers, "stages": blocks}
    path.write_text(json.dumps(document))


def compare_series(executable, scratch):
    epochs = scratch / "epochs"
    epochs.mkdir()
    train_by_pytorch(epochs, 40)
    network_json(scratch / "small.json")
    output = scratch / "diagnosis"
    pattern = f"{epochs}/*.safetensors"
    found = json.loads(run(
        executable, "diagnose", "--network", scratch / "small.json", "--weights", pattern, "--output", output, "--json"))
    check("checkpoints are ordered by number", found["sources"][0]["epochs"] == list(range(41)))
    for group in found["groups"]:
        expected = []
        for epoch in range(41):
            weights = {n.removeprefix("module._orig_mod."): v for n, v in load_file(epochs / f"epoch{epoch}.safetensors").items()}
            expected.append(variance(weights, vgg_groups(weights)[group["id"]]))
        worst = max(abs(a / b - 1) for a, b in zip(group["curves"][0], expected, strict=True))
        check(f"series of {group['id']} ({group['pattern']})", worst < 1e-5, f"{worst:.1e}")


def compare_tracked(executable, data, scratch):
    """The same training tracked live and read from the weights that it saved: the last sample and the last file are one moment."""
    run(executable, "train", "--network", scratch / "small.json", "--dataset", data, "--epochs", 3, "--batch-size", 32,
        "--learning-rate", 0.05, "--track", "weight-norms", "--output", scratch / "tracked", "--quiet")
    live = [json.loads(line) for line in (scratch / "tracked/weight-norms/series.jsonl").read_text().splitlines()]
    (scratch / "last").mkdir()
    (scratch / "last/epoch-3.safetensors").write_bytes((scratch / "tracked/model.safetensors").read_bytes())
    read = json.loads(run(
        executable, "diagnose", "--network", scratch / "small.json", "--weights", f"{scratch}/last/*", "--output", scratch / "read",
        "--json"))
    ours = {s["group"]: s["var"] for s in live if s["epoch"] == 3 and s["mode"] == "product"}
    worst = max(abs(ours[g["id"]] / g["curves"][0][0] - 1) for g in read["groups"])
    check("tracked live as read from the file", worst < 1e-9, f"{worst:.1e}")
    check("a short series is said to be short", all(g["findings"][0].get("reason") == "tooShort" for g in read["groups"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", required=True)
    executable = parser.parse_args().executable
    with tempfile.TemporaryDirectory() as place:
        scratch = pathlib.Path(place)
        draw(scratch / "data")
        common = ["--dataset", scratch / "data", "--batch-size", 32, "--learning-rate", 0.05, "--quiet"]
        for network, groups, width in (("resnet20", resnet20_groups, 0.5), ("vgg11_cifar", vgg_groups, 0.125)):
            folder = scratch / network
            run(executable, "train", "--network", network, "--width", width, "--resolution", 32, "--epochs", 4, "--track", "weight-norms",
                "--output", folder, *common)
            compare_metric(executable, folder, network, groups)
        compare_merging(executable, scratch / "vgg11_cifar/model.safetensors", "trained", scratch)
        random = {n: v for n, v in load_file(scratch / "vgg11_cifar/model.safetensors").items()}
        rng = np.random.default_rng(3)
        for name, value in random.items():
            if value.dtype == np.float32:
                random[name] = (np.abs(rng.normal(1, 0.2, value.shape)) if value.ndim == 1 else rng.normal(0, 1, value.shape)).astype(
                    np.float32)
        from safetensors import safe_open
        with safe_open(scratch / "vgg11_cifar/model.safetensors", "np") as file:
            save_file(random, scratch / "random.safetensors", metadata=file.metadata())
        compare_merging(executable, scratch / "random.safetensors", "random", scratch)
        compare_series(executable, scratch)
        compare_tracked(executable, scratch / "data", scratch)
    print(f"{len(failures)} of the comparisons failed" if failures else "All agree.")
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
