"""Better widths for torchvision's networks on images of one's own; then a training and a check with PyTorch and onnxruntime alone.

    pip install width_transfer-*.whl torchvision onnx onnxruntime
    python torchvision_networks.py FOLDER OUTPUT

FOLDER holds train/ and val/ with a folder of images for each class.
"""
import sys

import onnxruntime
import torch
import torchvision
from torchvision import datasets, transforms

import width_transfer

data, output = sys.argv[1:]
transform = transforms.Compose([transforms.Resize(32), transforms.CenterCrop(32), transforms.ToTensor(), transforms.Normalize(0.5, 0.25)])
train, held_out = (datasets.ImageFolder(f"{data}/{part}", transform) for part in ("train", "val"))
loader = torch.utils.data.DataLoader(train, batch_size=100, shuffle=True)
images, labels = next(iter(torch.utils.data.DataLoader(held_out, batch_size=500, shuffle=True)))

for name in ("resnet18", "mobilenet_v2"):
    network = torchvision.models.get_model(name, num_classes=len(train.classes))
    found = width_transfer.optimize(network, data, f"{output}/{name}", example_input=images[:2], train=False, subset="10%",
                                    project="width=0.5,data=20%", divisor=8, search_epochs=2)
    better = width_transfer.apply(network, found.widths, images[:2]).train()
    optimizer = torch.optim.SGD(better.parameters(), 0.02, momentum=0.9)
    for batch, classes in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(better(batch), classes).backward()
        optimizer.step()
    width_transfer.export(better.eval(), images[:2], f"{output}/{name}-narrow.onnx")
    (scores,) = onnxruntime.InferenceSession(f"{output}/{name}-narrow.onnx").run(None, {"input": images.numpy()})
    with torch.no_grad():
        difference = (better(images) - torch.from_numpy(scores)).abs().max()
    right = (torch.from_numpy(scores).argmax(1) == labels).float().mean()
    print(f"{name}: {sum(one.numel() for one in better.parameters()):,} parameters, {right:.1%} of {len(labels)} held-out images right, "
          f"onnxruntime within {difference:.0e}")
