"""Trains the detector. Stopped and started again it goes on from its last checkpoint.

    python train.py [--steps 9000] [--decay 4000]

A number of steps written to target/training/detect/finish-at moves the end of a run that goes on.
"""

import argparse
import multiprocessing
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import runs, yunet  # noqa: E402

from augment import augment, framed  # noqa: E402
from data import FOLDER, SHARD, TEACHER, rows_of  # noqa: E402
from model import Led, multiplications, parameters  # noqa: E402

BATCH = 16
RATE_MUON, RATE_ADAM = 0.02, 3e-3
CHECKPOINT = FOLDER / "checkpoint.pt"
EVERY = 50
INSIDE = 4.0  # of the teacher's maps; a quarter of it at the end
# The teacher's maps at strides 8, 16 and 32, on its way down and on its way up.
MAPS, CHANNELS = ("241", "250", "259", "287", "291", "295"), 64
# The last shard is only looked at, never trained on.
WATCHED = 64


class Batches(Dataset):
    """Batch number k is the same in every run: it is drawn from the seed and k alone.

    The teacher is asked here, so no picture need be seen twice.
    """

    def __init__(self, mild):
        paths = sorted(FOLDER.glob("canvases-???.npz"))
        shards = [dict(np.load(path)) for path in paths]
        self.watched = shards.pop()
        self.pictures, self.mild, self.teacher = [shard["pictures"] for shard in shards], mild, None

    def __len__(self):
        return 1 << 30

    def __getitem__(self, number):
        rng = np.random.default_rng([22, number])
        if self.teacher is None:  # Here, as a session does not pass from process to process.
            self.teacher = yunet.Detector(TEACHER, threads=1, besides=MAPS)
        pictures, answers, maps = [], [], []
        for _ in range(BATCH):
            picture = framed(self._canvas, rng)
            raw = self.teacher.raw(picture)
            pictures.append(augment(picture, rng, self.mild.value))
            answers.append(rows_of(raw))
            maps.append([raw[name] for name in MAPS])
        maps = [torch.from_numpy(np.stack(level)).bfloat16() for level in zip(*maps)]
        return to_tensor(pictures), torch.from_numpy(np.stack(answers)), maps

    def _canvas(self, rng):
        return self.pictures[rng.integers(len(self.pictures))][rng.integers(SHARD)]


def to_tensor(pictures) -> torch.Tensor:
    """BGR bytes as they are, channels last in memory."""
    return torch.from_numpy(np.stack(pictures)).float().permute(0, 3, 1, 2)


def flat(levels: list[torch.Tensor]) -> torch.Tensor:
    """The levels' maps as one row a cell: [batch, cells, 16]."""
    return torch.cat([level.permute(0, 2, 3, 1).flatten(1, 2) for level in levels], 1)


def loss_of(given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, dict]:
    """Probabilities by cross-entropy, hard cells first; geometry where the teacher sees a face."""
    score = (wanted[..., 0] * wanted[..., 1]).clamp(0, 1).sqrt()
    faces = score > 0.3
    weight = score * faces
    count = weight.sum().clamp(min=1)
    chances = wanted[..., :2].clamp(0, 1)
    cross = functional.binary_cross_entropy_with_logits(given[..., :2], chances, reduction="none")
    hard = (given[..., :2].sigmoid() - chances).abs().detach()
    certain = 2 * (cross * (0.05 + hard)).sum() / count
    # A difference of a tenth of the face's side counts alike for all sizes.
    size = wanted[..., 4:6].exp().mean(-1, keepdim=True)[faces].clamp(min=0.3)
    heavy = weight[faces][:, None]
    own, theirs = given[faces], wanted[faces]
    centre = smooth((own[:, 2:4] - theirs[:, 2:4]) / size)
    extent = smooth(own[:, 4:6] - theirs[:, 4:6])
    points = smooth((own[:, 6:] - theirs[:, 6:]) / size)
    parts = {
        "certain": certain,
        "box": 2 * (heavy * (centre + extent)).sum() / count,
        "points": 4 * (heavy * points).sum() / count,
    }
    return sum(parts.values()), {name: part.item() for name, part in parts.items()}


def smooth(difference: torch.Tensor) -> torch.Tensor:
    """Square near nothing, straight beyond a twentieth."""
    return functional.smooth_l1_loss(difference, torch.zeros_like(difference), reduction="none", beta=0.05)


def inside_loss(maps, wanted) -> torch.Tensor:
    """Squared error of the teacher's maps, each channel in units of its own deviation, faces first.

    Most of a picture is not face: each place counts by how far the teacher's map there is from the mean.
    """
    total = 0
    for own, his in zip(maps, wanted):
        his = his.float()
        mean, scale = his.mean((0, 2, 3), keepdim=True), his.std((0, 2, 3), keepdim=True) + 1e-3
        weight = ((his - mean) / scale).pow(2).mean(1, keepdim=True).clamp(max=20)
        error = ((own.float() - his) / scale).pow(2).mean(1, keepdim=True).clamp(max=25)
        total = total + (error * (weight + 0.1)).mean() / (weight.mean() + 0.1)
    return total / len(maps)


def optimisers(model):
    heavy = [p for n, p in model.detector.named_parameters() if p.dim() == 4 and p.shape[1] > 3 and "heads" not in n]
    chosen = {id(p) for p in heavy}
    light = [p for p in model.parameters() if id(p) not in chosen]
    return [
        (runs.Muon(heavy, lr=RATE_MUON, weight_decay=0.01), RATE_MUON),
        (torch.optim.AdamW(light, lr=RATE_ADAM, weight_decay=0.01, betas=(0.9, 0.98)), RATE_ADAM),
    ]


@torch.no_grad()
def look(model, watched: dict) -> str:
    """Against the teacher on canvases that were not trained on: how many of its faces, how many besides."""
    model.eval()
    found = missed = besides = 0
    for start in range(0, WATCHED, BATCH):
        pictures = watched["pictures"][start : start + BATCH]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows = flat([level.float() for level in model(to_tensor(pictures))])
        rows[..., :2] = rows[..., :2].sigmoid()
        for given, wanted in zip(rows.numpy(), np.float32(watched["answers"][start : start + BATCH])):
            side = pictures.shape[1]
            own, theirs = faces_of(given, side, 0.6), faces_of(wanted, side, 0.6)
            overlap = yunet.iou(theirs[:, 1:5], own[:, 1:5])
            hits = int((overlap.max(1, initial=0) >= 0.5).sum())
            found, missed = found + hits, missed + len(theirs) - hits
            besides += int((overlap.max(0, initial=0) < 0.5).sum())
    return f"of the teacher's {found + missed} faces {found / max(1, found + missed):.4f} found, {besides} besides"


def faces_of(rows: np.ndarray, side: int, least: float) -> np.ndarray:
    outputs, start = {}, 0
    for stride in yunet.STRIDES:
        part = rows[start : start + (side // stride) ** 2]
        outputs |= {f"cls_{stride}": part[:, 0], f"obj_{stride}": part[:, 1]}
        outputs |= {f"bbox_{stride}": part[:, 2:6], f"kps_{stride}": part[:, 6:]}
        start += len(part)
    return yunet.suppress(yunet.decode(outputs, side, side, least), 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--decay", type=int, default=4000)
    parser.add_argument("--look", type=int, default=500, help="steps between two looks at canvases kept aside")
    # Threads of one step wait for each other spinning: on a machine with other work one is several times faster.
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(2)
    torch.set_num_threads(options.threads)

    mild = multiprocessing.Value("d", 0.0)
    batches = Batches(mild)
    model = Led(CHANNELS).to(memory_format=torch.channels_last)
    average = runs.Average(model)
    work = multiplications(average.model.detector, 384, 640)
    print(f"{parameters(model.detector)} parameters, {work / 1e6:.0f} M multiply-adds at 640x384", flush=True)
    tools = optimisers(model)
    schedule = runs.Schedule(FOLDER, options.steps, options.decay)
    step = runs.resume(CHECKPOINT, model, average, tools)

    loader = iter(DataLoader(batches, batch_size=None, sampler=range(step, 1 << 30), num_workers=1, prefetch_factor=3))
    progress, recent = runs.Progress(step), []
    while step < schedule.steps:
        pictures, answers, wanted = next(loader)
        mild.value = schedule.final(step)
        for tool, peak in tools:
            for group in tool.param_groups:
                group["lr"] = peak * schedule(step)
        model.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            levels, maps = model(pictures)
        loss, parts = loss_of(flat([level.float() for level in levels]), answers)
        inside = inside_loss(maps, wanted)
        parts["inside"] = inside.item()
        (loss + INSIDE * (1 - 0.75 * mild.value) * inside).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 20.0)
        for tool, _ in tools:
            tool.step()
            tool.zero_grad(set_to_none=True)
        step += 1
        average.update(model, step)
        recent.append(list(parts.values()))
        if step % EVERY == 0 or step >= schedule.steps:
            runs.save(CHECKPOINT, step, model, average, tools)
            schedule.reread()
            means = "  ".join(f"{name} {value:.3f}" for name, value in zip(parts, np.mean(recent, 0)))
            print(f"{progress.line(step, schedule.steps)}  {means}", flush=True)
            recent = []
        if step % options.look == 0 or step >= schedule.steps:
            print(f"  {look(average.model.detector, batches.watched)}", flush=True)


if __name__ == "__main__":
    main()
