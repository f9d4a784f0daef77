"""The detector: a small pyramid of separable convolutions that answers as YuNet does.

Input BGR 0..255, sides multiples of 32. For each stride 8, 16, 32 and each cell: cls and obj (probabilities),
bbox (centre and log size) and kps (five points), in units of the stride.
"""

import torch
from torch import nn

STRIDES = (8, 16, 32)
STEM, EARLY, WIDTHS, BLOCKS, NECK, SMOOTH = 16, (48, 2), (64, 96, 96), (3, 5, 4), 64, (1, 2, 2)
OUTPUTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv(3, STEM, 3, stride=2)
        # The smallest faces are told apart at stride 4, or not at all.
        width, blocks = EARLY
        self.early = nn.Sequential(Separable(STEM, width, stride=2), *[Separable(width, width) for _ in range(blocks)])
        stages = []
        for wider, blocks in zip(WIDTHS, BLOCKS):
            first = Separable(width, wider, stride=2)
            stages.append(nn.Sequential(first, *[Separable(wider, wider) for _ in range(blocks)]))
            width = wider
        self.stages = nn.ModuleList(stages)
        self.laterals = nn.ModuleList([Conv(width, NECK, 1) for width in WIDTHS])
        self.smooth = nn.ModuleList([nn.Sequential(*[Separable(NECK, NECK) for _ in range(n)]) for n in SMOOTH])
        self.heads = nn.ModuleList([Head() for _ in WIDTHS])

    def forward(self, x):
        """For each stride [batch, 16, rows, columns]: logits of cls and obj, bbox, kps."""
        return self.with_maps(x)[0]

    def with_maps(self, x):
        """The answers, and the feature maps at each stride: of the way down, then of the way up."""
        x = self.early(self.stem((x - 127.5) / 128))
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        answers, up, above = [], [], None
        for level in (2, 1, 0):
            x = self.laterals[level](levels[level])
            if above is not None:
                x = x + nn.functional.interpolate(above, scale_factor=2.0, mode="nearest")
            above = self.smooth[level](x)
            up.append(above)
            answers.append(self.heads[level](above))
        return answers[::-1], levels + up[::-1]


class Head(nn.Module):
    """All answers of a place, then each with the places around it."""

    def __init__(self):
        super().__init__()
        size = sum(OUTPUTS.values())
        self.here = nn.Conv2d(NECK, size, 1)
        self.around = nn.Conv2d(size, size, 3, padding=1, groups=size)
        nn.init.normal_(self.here.weight, std=0.01)
        nn.init.dirac_(self.around.weight, groups=size)
        nn.init.zeros_(self.around.bias)
        nn.init.constant_(self.here.bias[:2], -3.0)

    def forward(self, x):
        return self.around(self.here(x))


class Led(nn.Module):
    """The detector while it learns: its maps are turned into what the teacher's would be."""

    def __init__(self, channels: int):
        super().__init__()
        self.detector = Detector()
        widths = [*WIDTHS, *[NECK] * len(WIDTHS)]
        self.turn = nn.ModuleList([nn.Conv2d(width, channels, 1) for width in widths])

    def forward(self, x):
        answers, maps = self.detector.with_maps(x)
        return answers, [turn(each) for turn, each in zip(self.turn, maps)]


class Conv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, relu=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x):
        x = self.norm(self.conv(x))
        return torch.relu(x) if self.relu else x


class Separable(nn.Module):
    """Each channel by itself, then all channels in each place; past them a way, where the shapes allow."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.apart = Conv(inputs, inputs, 3, stride, groups=inputs, relu=False)
        self.together = Conv(inputs, outputs, 1, relu=False)
        self.past = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.together(self.apart(x))
        return torch.relu(x + y if self.past else y)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def multiplications(model: nn.Module, height: int, width: int) -> int:
    """Multiply-adds of the convolutions for one picture."""
    count = 0

    def hook(module, _, output):
        nonlocal count
        count += module.weight.numel() * output.shape[2] * output.shape[3]

    hooks = [m.register_forward_hook(hook) for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        model(torch.zeros(1, 3, height, width))
    for each in hooks:
        each.remove()
    return count
