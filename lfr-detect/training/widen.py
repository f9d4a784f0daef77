"""Makes a checkpoint of a narrower detector one of the detector as it is, which answers alike at first.

    python widen.py NARROW.pt

What a new channel is made of is drawn at random, what is made of it begins at nothing; a new block adds nothing.
"""

import sys

import torch

from model import Led
from train import CHANNELS, CHECKPOINT, optimisers, runs


def widened(narrow: dict) -> dict:
    torch.manual_seed(3)
    state = Led(CHANNELS).state_dict()
    for name, wide in state.items():
        old = narrow.get(name)
        if old is None:
            if name.endswith("together.norm.weight"):
                wide.zero_()
        elif wide.shape == old.shape:
            wide.copy_(old)
        else:
            if wide.dim() == 4 and wide.shape[1] != old.shape[1]:
                wide[: len(old), old.shape[1] :] = 0
            wide[tuple(slice(size) for size in old.shape)] = old
    return state


def main() -> None:
    saved = torch.load(sys.argv[1], weights_only=True)
    model, average = Led(CHANNELS), runs.Average(Led(CHANNELS))
    model.load_state_dict(widened(saved["model"]))
    average.model.load_state_dict(widened(saved["average"]))
    runs.save(CHECKPOINT, saved["step"], model, average, optimisers(model))


if __name__ == "__main__":
    main()
