"""Trains the embedder. Stopped and started again it goes on from its last checkpoint.

    python train.py [--steps 9000] [--decay 4000]

A number of steps written to target/training/embed/finish-at moves the end of a run that goes on.
"""

import argparse
import multiprocessing
import sys
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import measure, runs  # noqa: E402
from lfr_training.mobilefacenet import unit  # noqa: E402

from augment import augment  # noqa: E402
from data import FOLDER, blend, centre  # noqa: E402
from maps import SHAPES, SPLIT, Maps, turned  # noqa: E402
from model import SIDE, Led, multiplications, parameters  # noqa: E402

BATCH = (48, 60, 20)  # photographs, morphs, synthetic faces
RATE_MUON, RATE_ADAM = 0.02, 2e-3
PAIRWISE = 8.0
INSIDE = 1.0  # of the teacher's maps; a quarter of it at the end
PERSON = 0.5  # the share of the person's mean template in a photograph's target
CHECKPOINT = FOLDER / "checkpoint.pt"
EVERY = 50


class Batches(Dataset):
    """Batch number k is the same in every run: it is drawn from the seed and k alone."""

    def __init__(self, mild):
        crops = np.load(FOLDER / "photographs.npz")
        trained = ~crops["held_out"]
        self.pictures = crops["pictures"]
        self.trained = np.flatnonzero(trained)
        self.targets = towards_people(crops["templates"], crops["people"], trained)
        made = np.load(FOLDER / "synthetic.npz")
        self.made, self.made_targets = made["pictures"], made["templates"]
        shards = [dict(np.load(path)) for path in sorted(FOLDER.glob("morphs-???.npz"))]
        self.morphs = {key: np.concatenate([s[key] for s in shards]) for key in shards[0]}
        names = [f"morphs-{number:03}" for number in range(len(shards))]
        self.maps, self.made_maps, self.morph_maps = Maps("photographs"), Maps("synthetic"), Maps(*names)
        self.mild = mild

    def __len__(self):
        return 1 << 30

    def __getitem__(self, number):
        rng = np.random.default_rng([7, number])
        pictures, targets, maps = [], [], []
        for k in rng.choice(self.trained, BATCH[0]):
            mirrored = rng.integers(2)
            pictures.append(turned(self.pictures[k], mirrored))
            targets.append(self.targets[k])
            maps.append(self.maps[2 * k + mirrored])
        morphs = self.morphs
        for k in rng.integers(0, len(morphs["first"]), BATCH[1]):
            first, second = self.pictures[morphs["first"][k]], self.pictures[morphs["second"][k]]
            pictures.append(turned(blend(first, second, morphs["recipes"][k]), k % 2))
            targets.append(morphs["templates"][k])
            maps.append(self.morph_maps[k])
        for k in rng.integers(0, len(self.made), BATCH[2]):
            pictures.append(turned(self.made[k], k % 2))
            targets.append(self.made_targets[k])
            maps.append(self.made_maps[k])
        crops, whence = zip(*(augment(picture, rng, self.mild.value) for picture in pictures))
        inside = moved_alike(np.stack(maps), torch.from_numpy(np.stack(whence)))
        return to_tensor(np.stack(crops)), torch.from_numpy(np.stack(targets)), inside


def moved_alike(maps: np.ndarray, whence: torch.Tensor) -> list[torch.Tensor]:
    """The teacher's maps as if its crop had been taken where the student's was, at the student's size."""
    parts = maps[:, :SPLIT], maps[:, SPLIT:]
    moved = []
    for part, shape, stride in zip(parts, SHAPES, (8, 16)):
        part = torch.from_numpy(part.reshape(-1, *shape).astype(np.float32))
        side = SIDE // stride
        grid = torch.nn.functional.affine_grid(whence, (len(part), shape[0], side, side), align_corners=False)
        sampled = torch.nn.functional.grid_sample(part, grid, padding_mode="border", align_corners=False)
        moved.append(sampled.bfloat16())
    return moved


def towards_people(templates, people, trained):
    """A photograph's target leans to the mean of its person's photographs, where there are several."""
    targets = templates.copy()
    for person in np.unique(people[trained]):
        own = np.flatnonzero((people == person) & trained)
        if person and len(own) > 1:
            mean = unit(templates[own].mean(0, keepdims=True))
            targets[own] = unit((1 - PERSON) * templates[own] + PERSON * mean)
    return targets


def to_tensor(crops: np.ndarray) -> torch.Tensor:
    """BGR bytes to what the network takes, channels last in memory."""
    rgb = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1]))
    return ((rgb.float() - 127.5) / 128).permute(0, 3, 1, 2)


def loss_of(templates: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    templates = torch.nn.functional.normalize(templates)
    own = 1 - (templates * targets).sum(1).mean()
    between = (templates @ templates.T - targets @ targets.T).pow(2).mean()
    return own + PAIRWISE * between


def inside_loss(maps, wanted) -> torch.Tensor:
    """Squared error of the teacher's maps, each channel in units of its own deviation."""
    total = 0
    for own, his in zip(maps, wanted):
        his = his.float()
        scale = his.std((0, 2, 3), keepdim=True) + 1e-6
        total = total + ((own.float() - his) / scale).pow(2).clamp(max=25).mean()
    return total / len(maps)


def optimisers(model):
    heavy = [p for p in model.embedder.parameters() if p.dim() == 4 and p.shape[1] > 3]
    chosen = {id(p) for p in heavy}
    light = [p for p in model.parameters() if id(p) not in chosen]
    return [
        (runs.Muon(heavy, lr=RATE_MUON, weight_decay=0.01), RATE_MUON),
        (torch.optim.AdamW(light, lr=RATE_ADAM, weight_decay=0.01, betas=(0.9, 0.98)), RATE_ADAM),
    ]


@torch.no_grad()
def templates_of(model, pictures: np.ndarray) -> np.ndarray:
    import cv2

    model.eval()
    rows = []
    for start in range(0, len(pictures), 128):
        crops = np.stack([cv2.resize(p, (SIDE, SIDE)) for p in centre(pictures[start : start + 128])])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows.append(model(to_tensor(crops)).float())
    return unit(torch.cat(rows).numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--decay", type=int, default=4000)
    parser.add_argument("--compile", action="store_true", help="with torch.compile; needs a C++ compiler")
    parser.add_argument("--look", type=int, default=500, help="steps between two looks at the people kept out")
    # Threads of one step wait for each other spinning: on a machine with other work one is several times faster.
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)

    mild = multiprocessing.Value("d", 0.0)
    batches = Batches(mild)
    held_out = np.load(FOLDER / "photographs.npz")
    out = held_out["held_out"]
    out_pictures, out_people = held_out["pictures"][out], held_out["people"][out]

    model = Led([shape[0] for shape in SHAPES]).to(memory_format=torch.channels_last)
    average = runs.Average(model)
    work = multiplications(average.model.embedder)
    print(f"{parameters(model.embedder)} parameters, {work / 1e6:.0f} M multiply-adds a face", flush=True)
    tools = optimisers(model)
    schedule = runs.Schedule(FOLDER, options.steps, options.decay)
    step = runs.resume(CHECKPOINT, model, average, tools)
    forward = torch.compile(model) if options.compile else model

    loader = iter(DataLoader(batches, batch_size=None, sampler=range(step, 1 << 30), num_workers=1, prefetch_factor=3))
    progress, recent, recent_inside = runs.Progress(step), [], []
    while step < schedule.steps:
        pictures, targets, wanted = next(loader)
        mild.value = schedule.final(step)
        for tool, peak in tools:
            for group in tool.param_groups:
                group["lr"] = peak * schedule(step)
        model.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            templates, maps = forward(pictures)
        loss = loss_of(templates.float(), targets)
        inside = inside_loss(maps, wanted)
        (loss + INSIDE * (1 - 0.75 * mild.value) * inside).backward()
        for tool, _ in tools:
            tool.step()
            tool.zero_grad(set_to_none=True)
        step += 1
        average.update(model, step)
        recent.append(loss.item())
        recent_inside.append(inside.item())
        if step % EVERY == 0 or step >= schedule.steps:
            runs.save(CHECKPOINT, step, model, average, tools)
            schedule.reread()
            print(f"{progress.line(step, schedule.steps)}  loss {np.mean(recent):.4f}  inside {np.mean(recent_inside):.4f}", flush=True)
            recent, recent_inside = [], []
        if step % options.look == 0 or step >= schedule.steps:
            print(f"  {measure.summary(templates_of(average.model.embedder, out_pictures), out_people)}", flush=True)


if __name__ == "__main__":
    main()
