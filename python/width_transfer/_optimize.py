"""The main job: better widths, and trained networks at them."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import linecache
import os
import pathlib
import statistics
import sys
import tempfile
import types
from typing import TYPE_CHECKING, Any, Mapping, Sequence, Union

from ._export import export
from ._program import WidthTransferError, call

if TYPE_CHECKING:
    import torch

__all__ = ["Result", "diagnose", "optimize"]

# A value of a flag: False and None leave it out, True gives it alone, a sequence gives it several times.
Flag = Union[None, bool, int, float, str, "os.PathLike[str]", Sequence[Union[int, float, str]]]


def flags(values: Mapping[str, Flag]) -> list[str]:
    """Python's names and values as words of the command line: `batch_size=32` is `--batch-size 32`."""
    words: list[str] = []
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        elif isinstance(value, (str, int, float, os.PathLike)):
            words += [flag, os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
        else:
            for one in value:
                words += [flag, str(one)]
    return words


@dataclasses.dataclass(frozen=True)
class Result:
    """What a search or a run left in its folder; `Result("runs/mine")` opens one that is there.

    One of several budgets has a result of each in `budgets`, and nothing else.
    """

    folder: pathlib.Path

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "folder", pathlib.Path(folder))
        if not (self.folder / "widths.json").is_file() and not self.budgets:
            raise WidthTransferError(f"{self.folder} holds no widths.json: it is no folder of a search or a run that is over", 66)

    @property
    def budgets(self) -> dict[str, Result]:
        """Of several budgets, the result of each by its folder's name, such as `"flops-0.5x"`; empty for a single one."""
        places = (place for kind in ("flops", "parameters", "latency") for place in sorted(self.folder.glob(kind + "-*")))
        return {place.name: Result(place) for place in places if (place / "widths.json").is_file()}

    def _file(self, name: str) -> pathlib.Path:
        path = self.folder / name
        if not path.is_file() and self.budgets:
            raise WidthTransferError(f"{self.folder} is of several budgets: take one of budgets: {', '.join(self.budgets)}", 64)
        return path

    @property
    def widths(self) -> dict[str, int]:
        """Channels by width group."""
        return json.loads(self._file("widths.json").read_text())["widths"]

    @property
    def summary(self) -> dict[str, Any]:
        """What `run --json` prints: costs and accuracies of the uniform and the optimized network; of a search alone, `widths.json`."""
        if (self.folder / "summary.json").is_file():
            return json.loads((self.folder / "summary.json").read_text())
        return json.loads(self._file("widths.json").read_text())

    def _repr_html_(self) -> str:
        """What a notebook shows: the networks, and where the report is."""
        if self.budgets:
            return "".join(f"<h4>{html.escape(name)}</h4>{found._repr_html_()}" for name, found in self.budgets.items())
        rows = [("network", "top-1", "seeds", "MACs", "parameters")]
        for found in self.summary.get("variants", []):
            scores = [one["top1"] for one in found["results"]]
            spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
            rows.append((found["name"], f"{statistics.fmean(scores):.2f}{spread} %", str(len(scores)), f"{found['macs'] / 1e6:,.2f} M",
                         f"{found['parameters']:,}"))
        table = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        path = html.escape(str(self.report if self.report.is_file() else self.folder))
        return (f"<table>{table}</table>" if len(rows) > 1 else "") + f"<p><a href='{path}'>{path}</a></p>"

    @property
    def report(self) -> pathlib.Path:
        """The report, a page that needs no network."""
        return self.folder / "report.html"

    def weights(self, variant: str = "optimized", seed: int | None = None) -> pathlib.Path:
        """The trained weights of a network, as safetensors.

        Args:
            variant: `"optimized"`, or `"uniform"` for the network at its own proportions.
            seed: Of which training; the first, where none is named.
        """
        for found in self.summary.get("variants", []):
            places = dict(zip(found["seeds"], found["folders"]))
            # Where the search returned the uniform widths, one training serves both.
            if found["name"] == variant and places and (seed is None or seed in places):
                return self.folder / (next(iter(places.values())) if seed is None else places[seed]) / "model.safetensors"
        asked = variant if seed is None else f"{variant} with seed {seed}"
        raise WidthTransferError(f"{self.folder} has no trained weights of {asked}: the network was not trained here", 66)

    def model(self, variant: str = "optimized", seed: int | None = None) -> torch.nn.Module:
        """The network as a module of plain PyTorch with its trained weights; for one's own module at new widths, see `apply`.

        Args:
            variant: As of `weights`.
            seed: As of `weights`.
        """
        from safetensors.torch import load_file

        weights = self.weights(variant, seed)
        with tempfile.TemporaryDirectory() as place:
            source = pathlib.Path(place) / "network.py"
            call(["export", "--weights", weights, "--output", source], quiet=True)
            module = _import(source.read_text())
            network = module.Network()
            network.load_state_dict(load_file(source.with_suffix(".safetensors")))
        return network.eval()


def _import(text: str) -> types.ModuleType:
    """A module of a source that is in no file any more, known to what asks for it later: pickles in this process, compilers, tracebacks."""
    name = f"width_transfer_network_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    module = types.ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module


def optimize(network: torch.nn.Module | str | os.PathLike[str], dataset: str | os.PathLike[str], output: str | os.PathLike[str], *,
             example_input: torch.Tensor | None = None, train: bool = True, quiet: bool = False, check: bool = True,
             **more: Flag) -> Result:
    """Searches better widths on a shrunken copy of network and data, and trains the network at its own and at the found ones.

    The same call goes on with a folder that was begun, for example after Ctrl-C; what is there is not done again.

    Args:
        network: A module, an ONNX or JSON file, or a name of the zoo.
        dataset: A folder of images, an archive, or a known name such as `"fashion-mnist"`.
        output: The run folder.
        example_input: Of a module: images `[N, C, H, W]`.
        train: Whether the networks are trained; else the widths are searched alone, for `apply`.
        quiet: Whether progress is left out.
        check: Of a module: as of `export`.
        more: Any other flag of `width-transfer run` (or `search`), with underscores: `flops="1.0x"` (or several, `["0.5x", "1.0x"]`),
            `project="width=0.5,data=20%"`, `algorithm="dmcp"`, `budget="30m"`, `epochs=30`, `batch_size=64`, `divisor=8`, `threads=2`, …

    Raises:
        WidthTransferError: What the program said.
        KeyboardInterrupt: After Ctrl-C, when a checkpoint is written.
    """
    output = pathlib.Path(output)
    name: str | os.PathLike[str]
    if isinstance(network, (str, os.PathLike)):
        name = network
    else:
        if example_input is None:
            raise WidthTransferError("example_input is missing: of a module, images [N, C, H, W] say which size it is for", 64)
        # Beside the run folder, which is the program's own: going on reads the same file again.
        name = output.parent / (output.name + ".source.onnx")
        former = output.parent / (output.name + ".onnx")
        if (output / "run.yaml").is_file() and former.is_file() and not name.is_file():
            # As version 0.1 called it.
            name = former
        output.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: each process of a launcher's writes it, and reads it while others write.
        with tempfile.TemporaryDirectory(dir=output.parent) as place:
            whole = export(network, example_input, pathlib.Path(place) / name.name, check=check)
            os.replace(whole, name)
    call(["run" if train else "search", "--network", name, "--dataset", dataset, "--output", output, *flags(more)], quiet=quiet)
    return Result(output)


def diagnose(weights: str | None = None, *, runs: Sequence[str | os.PathLike[str]] = (), quiet: bool = True,
             **more: Flag) -> dict[str, Any]:
    """Says of each layer whether it is wide enough, from weights after every epoch: `width-transfer diagnose --json`.

    Args:
        weights: A pattern of state dicts, one an epoch: `"epochs/*.safetensors"`.
        runs: Instead, folders of trainings that were tracked; several of one network are seeds.
        quiet: Whether progress is left out.
        more: Any other flag of `width-transfer diagnose`, with underscores: `network="resnet18"`, `output="sufficiency"` for a folder
            with the page, …
    """
    if "output" not in more and (weights is not None or len(runs) > 1):
        # What is asked for is the answer; the page and its files go where an output says.
        with tempfile.TemporaryDirectory() as place:
            return diagnose(weights, runs=runs, quiet=quiet, output=place + "/diagnosis", **more)
    words = ["diagnose", *(os.fspath(run) for run in runs), "--json", *flags(more), *([] if weights is None else ["--weights", weights])]
    return json.loads(call(words, quiet=quiet))
