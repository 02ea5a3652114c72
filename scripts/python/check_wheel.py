"""Uses an installed width_transfer as a user would; scripts/check-wheel --help says more."""

import argparse
import inspect
import io
import json
import os
import pathlib
import pickle
import signal
import struct
import subprocess
import sys
import warnings

import numpy
import torch
import width_transfer
from width_transfer import _apply, _program

SIDE, CLASSES = 32, 4
SMALL = {"width": 0.5, "divisor": 2, "epochs": 1, "search_epochs": 1, "batch_size": 16, "threads": 1, "quiet": True}


def images(folder):
    """A few images in the files of MNIST: noise, brighter in one quarter, which is the class."""
    generator = numpy.random.default_rng(0)
    folder.mkdir()
    for part, count in (("train", 64), ("t10k", 32)):
        labels = numpy.arange(count, dtype=numpy.uint8) % CLASSES
        pixels = generator.integers(0, 128, (count, SIDE, SIDE)).astype(numpy.uint8)
        for image, label in zip(pixels, labels):
            top, left = SIDE // 2 * (label // 2), SIDE // 2 * (label % 2)
            image[top:top + SIDE // 2, left:left + SIDE // 2] += 127
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, count, SIDE, SIDE) + pixels.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, count) + labels.tobytes())
    return pixels, labels


def command_line():
    """The two ways to the command, without a compiler or root."""
    for words in (["width-transfer"], [sys.executable, "-m", "width_transfer"]):
        done = subprocess.run([*words, "--version"], check=True, capture_output=True, text=True)
        assert done.stdout.strip() == width_transfer.__version__, done.stdout
        done = subprocess.run([*words, "evaluate", "--weights", "nothing.safetensors", "--dataset", "data"], capture_output=True, text=True)
        assert done.returncode == 66 and "nothing.safetensors" in done.stderr, done
    assert width_transfer.inspect("resnet18")["parameters"] == 11_689_512


def main_job(pixels, labels):
    """Widths, a report, and the trained network as a module that says what `evaluate` says."""
    result = width_transfer.optimize("resnet20", "data", "runs/first", project="width=0.5", algorithm="dmcp", **SMALL)
    assert set(result.widths) == {group["id"] for group in width_transfer.inspect("resnet20", "--width", "0.5")["widthGroups"]}
    page = result.report.read_text()
    assert "vegaEmbed" in page, "the report has no charts"
    # What a notebook shows below the cell.
    shown = result._repr_html_()
    assert shown.count("<tr>") == 3 and str(result.report) in shown, shown
    assert width_transfer.Result("runs/first").summary == result.summary
    for variant in ("uniform", "optimized"):
        weights = result.weights(variant)
        words = ["evaluate", "--weights", weights, "--dataset", "data", "--json", "--threads", "1"]
        told = json.loads(width_transfer.command(words, quiet=True))
        normalization = json.loads(header(weights)["normalization"])
        mean, deviation = normalization["mean"], normalization["std"]
        batch = (torch.from_numpy(pixels)[:, None].float() / 255 - mean[0]) / deviation[0]
        with torch.no_grad():
            scores = result.model(variant)(batch)
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels).long())
        assert abs(float(loss) - told["loss"]) < 1e-4 * max(1, told["loss"]), (variant, float(loss), told)
        assert told["parameters"] == sum(parameter.numel() for parameter in result.model(variant).parameters())
    # Once more: nothing is done again.
    again = width_transfer.optimize("resnet20", "data", "runs/first", project="width=0.5", algorithm="dmcp", **SMALL)
    assert again.summary == result.summary


def several_budgets():
    """A result of each budget."""
    found = width_transfer.optimize("resnet20", "data", "runs/budgets", train=False, flops=["0.5x", "0.8x"], algorithm="random", **SMALL)
    assert set(found.budgets) == {"flops-0.5x", "flops-0.8x"}, found.budgets
    costs = [one.summary["macs"] for one in found.budgets.values()]
    assert costs[0] < costs[1], costs
    try:
        found.widths
    except width_transfer.WidthTransferError as error:
        assert error.exit_code == 64 and "flops-0.5x" in str(error), error
    else:
        raise AssertionError("widths of which?")


def failed_jobs():
    """Of jobs beside each other, the reason of each reaches the exception."""
    try:
        width_transfer.optimize("resnet20", "data", "runs/failed", project="width=0.5", algorithm="uniform", jobs=2,
                                **{**SMALL, "learning_rate": 1e30})
    except width_transfer.WidthTransferError as error:
        assert "failed" in str(error) and "uniform" in str(error).split("\n", 1)[-1], error
    else:
        raise AssertionError("a learning rate of 1e30")


def diagnosis():
    """Says of every group what its norms did over epochs that are made up: they grow, and ever less."""
    from safetensors.torch import load_file, save_file

    state = load_file(width_transfer.Result("runs/first").weights("uniform"))
    pathlib.Path("epochs").mkdir()
    for epoch in range(12):
        save_file({name: (tensor * (2 - 0.7 ** epoch) if tensor.is_floating_point() else tensor) for name, tensor in state.items()},
                  f"epochs/{epoch:03}.safetensors")
    found = width_transfer.diagnose("epochs/*.safetensors", network="resnet20", width=0.5, divisor=2, classes=CLASSES, input_channels=1,
                                    resolution=SIDE)
    groups = {group["id"] for group in width_transfer.inspect("resnet20", "--width", "0.5")["widthGroups"]}
    assert {group["id"] for group in found["groups"]} == groups, found.keys()


def header(path):
    """The metadata of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + length])["__metadata__"]


def refusals():
    """What the program says arrives as an exception with its exit code."""
    mistakes = ({"dataset": "nowhere"}, 66, "nowhere"), ({"flops": "much"}, 64, "much"), ({"epoch": 3}, 64, "epoch")
    for words, code, said in mistakes:
        more = {**SMALL, **words}
        dataset = more.pop("dataset", "data")
        try:
            width_transfer.optimize("resnet20", dataset, "runs/refused", **more)
        except width_transfer.WidthTransferError as error:
            assert error.exit_code == code and said in str(error), error
        else:
            raise AssertionError(words)
    try:
        width_transfer.Result("runs/refused")
    except width_transfer.WidthTransferError as error:
        assert "widths.json" in str(error)


def interrupted():
    """Ctrl-C in a script leaves a checkpoint, from which the same call goes on."""
    program = ("import width_transfer; width_transfer.optimize('resnet20', 'data', 'runs/stopped', project='width=0.5', "
               "algorithm='uniform', width=0.5, divisor=2, epochs=400, search_epochs=1, batch_size=16, threads=1)")
    # A script that was started in the background ignores SIGINT, and so would all that it starts.
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "epoch 2/" in line:
            process.send_signal(signal.SIGINT)
            break
    lines += process.stderr.readlines()
    process.wait()
    assert "KeyboardInterrupt" in lines[-1] and any("checkpoint" in line for line in lines), lines[-8:]
    saved = list(pathlib.Path("runs/stopped").glob("uniform/seed-0/checkpoints/*"))
    assert saved, "no checkpoint"


class Alarm(Exception):
    """What a handler of a signal raises, as those of test runners do."""


def alarmed():
    """Whatever ends a call ends the program, too, and saves."""

    def ring(*_):
        raise Alarm

    class Unread:
        """Standard error that nobody reads any more."""

        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            pass

    former = signal.signal(signal.SIGALRM, ring), sys.stderr
    sys.stderr = Unread()
    try:
        # Progress that cannot be written stops nothing: all of it is read, so that no pipe fills up.
        progress = io.BytesIO(b"a line\n" * 100_000)
        _program._forward(progress, [], True)
        assert not progress.read()
    finally:
        sys.stderr = former[1]
    signal.alarm(5)
    try:
        endless = {**SMALL, "epochs": 100_000}
        width_transfer.optimize("resnet20", "data", "runs/alarmed", project="width=0.5", algorithm="uniform", **endless)
    except Alarm:
        # The folder is free: the program has left it.
        words = ["run", "--network", "resnet20", "--dataset", "data", "--output", "runs/alarmed", "--overwrite", "--project", "width=0.5",
                 "--algorithm", "uniform", "--width", "0.5", "--epochs", "1", "--batch-size", "16", "--search-epochs", "1"]
        width_transfer.command(words, quiet=True)
    else:
        raise AssertionError("100,000 epochs took less than five seconds")
    finally:
        signal.signal(signal.SIGALRM, former[0])


def beside_others():
    """In a process of a launcher's, and as what pickles, compilers and tracebacks ask for."""
    launched = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    os.environ.update(launched)
    try:
        width_transfer.command(["export", "--network", "resnet20", "--output", "launched.safetensors"], quiet=True)
    finally:
        for name in launched:
            del os.environ[name]
    network = width_transfer.Result("runs/first").model()
    again = pickle.loads(pickle.dumps(network))
    assert type(again) is type(network)
    assert "class Network" in inspect.getsource(type(network))
    images = torch.zeros(1, 1, SIDE, SIDE)
    with torch.no_grad():
        # By name the compiler asks for the module that the class is of.
        assert torch.equal(torch.compile(network, backend="eager")(images), network(images))


def library_layers():
    """Layers of a library's own begin as their module does, and what that leaves out as it began."""

    class Gained(torch.nn.Conv2d):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gain = torch.nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))

    for outputs, inputs in ((6, 4), (6, 2), (3, 4)):
        layer = Gained(4, 6, 3)
        former = layer.weight.detach().clone()
        shapes = {"layer.weight": (outputs, inputs, 3, 3), "layer.bias": (outputs,), "layer.gain": (outputs, 1, 1, 1)}
        _apply._rebuild("layer", layer, shapes)
        assert all(tuple(getattr(layer, name.removeprefix("layer.")).shape) == shape for name, shape in shapes.items())
        assert layer.gain.eq(1).all() and layer.weight.isfinite().all()
        assert layer.weight.shape != former.shape or not layer.weight.equal(former)
    learnt = Gained(4, 6, 3)
    learnt.gain.data[0] = 2
    try:
        _apply._rebuild("layer", learnt, {"layer.weight": (6, 2, 3, 3), "layer.bias": (6,), "layer.gain": (6, 1, 1, 1)})
    except width_transfer.WidthTransferError as error:
        assert "layer.gain of Gained has learnt unequal numbers" in str(error), error
    else:
        raise AssertionError("learnt gains were kept")


def of_libraries():
    """Modules of torchvision and timm at new widths: trained, exported and run without this package."""
    import onnxruntime
    import torchvision_models
    import timm

    networks = [("torchvision", name, torchvision_models.model(name, num_classes=CLASSES))
                for name in ("resnet18", "mobilenet_v2", "regnet_y_400mf")]
    networks += [("timm", name, timm.create_model(name, num_classes=CLASSES))
                 for name in ("resnet18", "mobilenetv3_small_100", "convnext_atto")]
    for library, name, model in networks:
        example = torch.zeros(1, 3, SIDE, SIDE)
        # As if it had been trained.
        for key, tensor in model.state_dict().items():
            if key.endswith("running_mean"):
                tensor.add_(1)
        before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        path = width_transfer.export(model, example, f"{library}-{name}.onnx")
        found = width_transfer.inspect(path)
        widths = {}
        for group in found["widthGroups"]:
            step = group.get("granularity", 1)
            if not group.get("fixed"):
                widths[group["id"]] = max(step, int(0.7 * group["width"]) // step * step)
        narrow = width_transfer.apply(model, widths, example)
        pathlib.Path("w.json").write_text(json.dumps({"network": path.stem, "widths": widths}))
        told = width_transfer.inspect(path, "--widths", "w.json")
        parameters = sum(parameter.numel() for parameter in narrow.parameters())
        assert parameters == told["parameters"] < found["parameters"], (name, parameters, told["parameters"])
        assert all(torch.equal(tensor, model.state_dict()[key]) for key, tensor in before.items()), "the module was changed"
        for key, tensor in narrow.state_dict().items():
            assert not key.endswith("running_mean") or not tensor.any(), f"{key} was not begun anew"
            assert tensor.dim() < 2 or not torch.equal(tensor, before[key]), f"{key} was not begun anew"
        loss = train(narrow)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(narrow.eval(), (example,), "narrow.onnx", dynamo=False, opset_version=17)
        session = onnxruntime.InferenceSession("narrow.onnx", providers=["CPUExecutionProvider"])
        batch = torch.randn(1, 3, SIDE, SIDE)
        with torch.no_grad():
            expected = narrow(batch).numpy()
        scores = session.run(None, {session.get_inputs()[0].name: batch.numpy()})[0]
        assert numpy.abs(scores - expected).max() <= 1e-4 * max(1, numpy.abs(expected).max())
        print(f"{library} {name}: {found['parameters']:,} → {parameters:,} parameters, {len(widths)} groups, "
              f"loss after an epoch {loss:.3f}", flush=True)
    refuses_code()


def train(model):
    """An epoch of plain PyTorch on noise that is brighter in one quarter."""
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    model.train()
    for _ in range(8):
        labels = torch.arange(16) % CLASSES
        batch = torch.rand(16, 3, SIDE, SIDE)
        for image, label in zip(batch, labels):
            image[:, 16 * (label // 2):16 * (label // 2) + 16, 16 * (label % 2):16 * (label % 2) + 16] += 1
        loss = torch.nn.functional.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.isfinite(loss)
    return float(loss)


def refuses_code():
    """A module whose code counts on its widths is refused with the line."""

    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 16, 3, padding=1)
            self.fc = torch.nn.Linear(16, CLASSES)

        def forward(self, x):
            return self.fc(self.conv(x).mean((2, 3)).reshape(-1, 16))

    try:
        width_transfer.apply(Counting(), {"conv": 8}, torch.zeros(1, 3, SIDE, SIDE))
    except width_transfer.WidthTransferError as error:
        assert "check_wheel.py" in str(error) and "reshape(-1, 16)" in str(error), error
    else:
        raise AssertionError("a module whose code counts on its widths was taken")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--libraries", action="store_true")
    arguments = parser.parse_args()
    assert "width_transfer" in os.path.dirname(width_transfer.__file__)
    pixels, labels = images(pathlib.Path("data"))
    command_line()
    main_job(pixels, labels)
    several_budgets()
    failed_jobs()
    diagnosis()
    refusals()
    interrupted()
    alarmed()
    beside_others()
    library_layers()
    if arguments.libraries:
        of_libraries()


if __name__ == "__main__":
    main()
