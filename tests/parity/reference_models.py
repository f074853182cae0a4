"""torchvision's models, the same pass through one of them and (in models_driver) through ours, and what comes out."""
import dataclasses

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from driver import run

SEED = 7
NAMES = ["cnn", "resnet18", "resnet50", *(f"efficientnet-b{i}" for i in range(8))]


class Cnn(nn.Module):
    """The small CNN, which torchvision does not have."""

    def __init__(self, num_classes):
        super().__init__()
        layers, channels = [], 3
        for width in (32, 64, 128, 128):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, images):
        return self.classifier(self.avgpool(self.features(images)).flatten(1))


def replace_modules(model, kind, make):
    """Puts make(old) in the place of every submodule of a kind."""
    for path, module in list(model.named_modules()):
        if isinstance(module, kind):
            parent, _, attribute = path.rpartition(".")
            setattr(model.get_submodule(parent), attribute, make(module))


def make_reference(name, outputs=1000, in_channels=3, activation="silu"):
    """The model after SEED. Another stem, or another activation, is put in where torchvision's has no such choice."""
    torch.manual_seed(SEED)
    model = Cnn(outputs) if name == "cnn" else torchvision.models.get_model(name.replace("-", "_"), num_classes=outputs)
    if in_channels != 3:
        stem = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
        stem.weight = nn.Parameter(stem.weight[:, :in_channels].clone())
        stem.in_channels = in_channels
    if activation == "relu6":
        replace_modules(model, nn.SiLU, lambda _: nn.ReLU6(inplace=True))
    return model


def make_batch(in_channels=3, images=4, side=64, outputs=1000):
    """Random shapes and noise, so that the channels of a network differ between images and over each of them."""
    generator = torch.Generator().manual_seed(SEED)
    shapes = torch.randn(images, in_channels, 4, 4, generator=generator)
    noise = torch.randn(images, in_channels, side, side, generator=generator)
    pixels = nn.functional.interpolate(shapes, side, mode="bilinear") + 0.3 * noise
    return {"images": pixels, "labels": torch.randint(outputs, (images,), generator=generator)}


def leave_trivial_values(model, images):
    """Makes batch norms matter: scales and shifts are not 1 and 0, and the running statistics are those of `images`."""
    generator = torch.Generator().manual_seed(SEED + 1)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()  # no dropout, no stochastic depth
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.6, 1.4, generator=generator)
            norm.bias.uniform_(-0.3, 0.3, generator=generator)
            norm.train().momentum = 1.0
        model(images)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def copy_state(model):
    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in model.state_dict().items()}


@dataclasses.dataclass
class Answer:
    """What the driver returned, and what it wrote into its results file."""
    record: dict
    tensors: dict

    def group(self, prefix):
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}

    @property
    def logits(self):
        return self.tensors["logits"]


def ask(folder, name, outputs=1000, in_channels=3, batch=None, state=None, **request):
    """Makes our model after SEED, and passes the batch through it where one is given."""
    files = [folder / f"{key}.safetensors" for key in ("results", "batch", "state")]
    for key, tensors, file in (("batch", batch, files[1]), ("state", state, files[2])):
        if tensors is not None:
            save_file(tensors, file)
            request[key] = str(file)
    request |= dict(name=name, outputs=outputs, in_channels=in_channels, seed=SEED, results=str(files[0]))
    record = run("models", request)
    tensors = load_file(files[0])
    for file in files:
        file.unlink(missing_ok=True)  # B7's are 260 MB each
    return Answer(record, tensors)


def pass_through(model, batch, train, autocast=None, backward=True):
    """The logits of a pass with SEED's dropout; a training pass leaves the gradients in the model."""
    model.train(train)
    model.zero_grad()
    torch.manual_seed(SEED)
    with torch.set_grad_enabled(train):
        with torch.autocast("cpu", dtype=autocast, enabled=autocast is not None):
            logits = model(batch["images"])
        if train and backward:
            full = logits.to(torch.promote_types(logits.dtype, torch.float32))
            nn.functional.cross_entropy(full, batch["labels"]).backward()
    return logits.detach()
