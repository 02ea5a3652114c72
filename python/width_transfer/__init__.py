"""Better channel counts for CNNs at equal FLOPs, searched on a shrunken copy of network and data.

    import width_transfer

    result = width_transfer.optimize("resnet20", "fashion-mnist", "runs/first", project="width=0.5,data=20%", divisor=2)
    print(result.widths, result.report)
    model = result.model()                       # plain PyTorch, trained

With a module of one's own, trained by one's own code:

    result = width_transfer.optimize(model, "photos/", "runs/mine", example_input=images, train=False, project="width=0.5")
    narrow = width_transfer.apply(model, result.widths, images)

Everything is done by the program inside the package, which is also the command `width-transfer`.
"""

from ._apply import apply
from ._export import export, inspect
from ._optimize import Result, diagnose, optimize
from ._program import WidthTransferError
from ._program import call as command
from ._version import version as __version__

__all__ = ["Result", "WidthTransferError", "__version__", "apply", "command", "diagnose", "export", "inspect", "optimize"]
