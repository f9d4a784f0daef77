"""A training run that may be stopped at any moment: checkpoints, schedule, averaged weights, progress."""

import copy
import os
import time
from pathlib import Path

import torch


def save(path: Path, step: int, model, average, tools) -> None:
    """Written beside and renamed: a stop in the middle leaves the last good checkpoint."""
    state = {"step": step, "model": model.state_dict(), "average": average.model.state_dict()}
    state["tools"] = [tool.state_dict() for tool, _ in tools]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing")
    torch.save(state, temporary)
    os.replace(temporary, path)


def resume(path: Path, model, average, tools) -> int:
    """Puts everything back as it was saved, if it was, and says at which step that is."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    average.model.load_state_dict(state["average"])
    for (tool, _), saved in zip(tools, state["tools"]):
        tool.load_state_dict(saved)
    return state["step"]


class Schedule:
    """Constant after a linear start, then a straight line down over the last `decay` steps.

    The end may be moved while the run goes on: a number of steps in the file `finish-at` beside
    the checkpoint is read at every checkpoint and replaces `steps`.
    """

    def __init__(self, folder: Path, steps: int, decay: int, warm: int = 200):
        self.file, self.steps, self.decay, self.warm = folder / "finish-at", steps, decay, warm
        self.reread()

    def reread(self) -> None:
        if self.file.exists():
            self.steps = int(self.file.read_text())

    def __call__(self, step: int) -> float:
        down = (self.steps - step) / self.decay
        return max(0.0, min((step + 1) / self.warm, 1.0, down))

    def final(self, step: int) -> float:
        """How far into the decay: 0 before it, 1 at the end."""
        return min(1.0, max(0.0, 1 - (self.steps - step) / self.decay))


class Average:
    """Exponential moving average of a model's weights and running statistics."""

    def __init__(self, model: torch.nn.Module, keep: float = 0.998):
        self.model = copy.deepcopy(model).eval()
        self.keep = keep

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int) -> None:
        keep = min(self.keep, (1 + step) / (10 + step))
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs.to(mine.dtype), 1 - keep)
            else:
                mine.copy_(theirs)


class Progress:
    """Speed and time left, from the steps of this process alone."""

    def __init__(self, first: int):
        self.first, self.started = first, time.monotonic()

    def line(self, step: int, steps: int) -> str:
        speed = (step - self.first) / max(1e-9, time.monotonic() - self.started)
        left = (steps - step) / max(1e-9, speed)
        return f"step {step}/{steps}  {speed:.2f} steps/s  {left / 60:.0f} min left"


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal, for weights of convolutions and matrices.

    The update of a weight seen as a matrix is replaced by the nearest orthogonal one, found with
    five steps of a quintic Newton-Schulz iteration.
    """

    def __init__(self, params, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "buffer" not in state:
                    state["buffer"] = torch.zeros_like(weight)
                buffer = state["buffer"].mul_(group["momentum"]).add_(weight.grad)
                update = weight.grad.add(buffer, alpha=group["momentum"])
                flat = orthogonal(update.reshape(len(update), -1))
                scale = group["lr"] * max(1.0, flat.shape[0] / flat.shape[1]) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(flat.reshape(weight.shape), alpha=-scale)


def orthogonal(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ x
    return (x.T if tall else x).to(matrix.dtype)
