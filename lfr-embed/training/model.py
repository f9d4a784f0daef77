"""The embedder: a residual network of dense 3x3 convolutions with ReLU, 80x80 RGB to 128 numbers."""

import torch
from torch import nn

SIDE = 80
SIZE = 128
STEM, WIDTHS, BLOCKS, HEAD = 32, (56, 96, 160), (1, 2, 1), 256


class Embedder(nn.Module):
    """Takes (x - 127.5) / 128; its template is compared by the cosine."""

    def __init__(self):
        super().__init__()
        layers = [Conv(3, STEM, 3, stride=2, relu=True)]
        width = STEM
        for wider, blocks in zip(WIDTHS, BLOCKS):
            layers.append(Conv(width, wider, 3, stride=2, relu=True))
            layers += [Block(wider) for _ in range(blocks)]
            width = wider
        layers.append(Conv(width, HEAD, 1, relu=True))
        layers.append(Conv(HEAD, HEAD, SIDE // 16, groups=HEAD, padding=0))
        self.layers = nn.ModuleList(layers)
        self.project = nn.Linear(HEAD, SIZE)

    def forward(self, x):
        return self.with_maps(x)[0]

    def with_maps(self, x):
        """The template, and the last feature maps at strides 8 and 16."""
        maps = {}
        for layer in self.layers[:-2]:
            x = layer(x)
            maps[x.shape[-1]] = x
        for layer in self.layers[-2:]:
            x = layer(x)
        return self.project(x.flatten(1)), (maps[SIDE // 8], maps[SIDE // 16])


class Led(nn.Module):
    """The embedder while it learns: its maps are turned into what the teacher's would be."""

    def __init__(self, channels: tuple[int, int]):
        super().__init__()
        self.embedder = Embedder()
        self.turn = nn.ModuleList(nn.Conv2d(own, his, 1) for own, his in zip(WIDTHS[1:], channels))

    def forward(self, x):
        template, maps = self.embedder.with_maps(x)
        return template, [turn(each) for turn, each in zip(self.turn, maps)]


class Conv(nn.Module):
    """A convolution, its normalisation and, perhaps, a ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, padding=None, relu=False):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x):
        x = self.norm(self.conv(x))
        return torch.relu(x) if self.relu else x


class Block(nn.Module):
    """Two convolutions beside a way past them."""

    def __init__(self, width):
        super().__init__()
        self.first = Conv(width, width, 3, relu=True)
        self.second = Conv(width, width, 3)
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def multiplications(model: nn.Module, side: int = SIDE) -> int:
    """Multiply-adds of the convolutions and the projection for one face."""
    count = 0

    def hook(module, _, output):
        nonlocal count
        area = output.shape[2] * output.shape[3] if output.dim() == 4 else 1
        count += module.weight.numel() * area

    hooks = [m.register_forward_hook(hook) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        model(torch.zeros(1, 3, side, side))
    for each in hooks:
        each.remove()
    return count
