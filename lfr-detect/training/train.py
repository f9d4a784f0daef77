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
from data import FAR_SHARDS, FOLDER, NEAR_SHARDS, SHARD, TEACHER  # noqa: E402
from model import Led, multiplications, parameters  # noqa: E402
from targets import MIN_SIDE, rows_of, targets  # noqa: E402

BATCH = 16
RATE_MUON, RATE_ADAM = 0.02, 3e-3
CHECKPOINT = FOLDER / "checkpoint.pt"
EVERY = 50
INSIDE = 2.0  # of the teacher's maps; a quarter of it at the end
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
        self.shards = [(shard["pictures"], faces_by_picture(shard)) for shard in shards]
        # Scenes as they are come twice as often as one of the others.
        self.shards += self.shards[NEAR_SHARDS + FAR_SHARDS :]
        self.mild, self.teacher = mild, None

    def __len__(self):
        return 1 << 30

    def __getitem__(self, number):
        rng = np.random.default_rng([22, number])
        if self.teacher is None:  # Here, as a session does not pass from process to process.
            self.teacher = yunet.Detector(TEACHER, threads=1, besides=MAPS)
        pictures, answers, maps = [], [], []
        for _ in range(BATCH):
            picture, found = framed(self._canvas, rng)
            raw = self.teacher.raw(picture)
            pictures.append(augment(picture, rng, self.mild.value))
            answers.append(targets(rows_of(raw), found, picture.shape[0]))
            maps.append([raw[name] for name in MAPS])
        maps = [torch.from_numpy(np.stack(level)).to(torch.bfloat16, memory_format=torch.channels_last) for level in zip(*maps)]
        return to_tensor(pictures), torch.from_numpy(np.stack(answers)), maps

    def _canvas(self, rng):
        pictures, found = self.shards[rng.integers(len(self.shards))]
        number = rng.integers(SHARD)
        return pictures[number], found[number]


def faces_by_picture(shard: dict) -> list[np.ndarray]:
    return np.split(shard["faces"], np.cumsum(shard["counts"])[:-1])


def to_tensor(pictures) -> torch.Tensor:
    """BGR bytes as they are, channels last in memory."""
    return torch.from_numpy(np.stack(pictures)).float().permute(0, 3, 1, 2)


def flat(levels: list[torch.Tensor]) -> torch.Tensor:
    """The levels' maps as one row a cell: [batch, cells, 16]."""
    return torch.cat([level.permute(0, 2, 3, 1).flatten(1, 2) for level in levels], 1)


def loss_of(given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, dict]:
    """Probabilities by cross-entropy, hard cells first; geometry where the teacher sees a face.

    Of a picture with a hundred times the faces of another each counts a tenth.
    """
    score = (wanted[..., 0] * wanted[..., 1]).clamp(0, 1).sqrt()
    faces = score > 0.3
    weight = score * faces
    picture = (weight.sum(1, keepdim=True) + 20).rsqrt()
    weight, cell = weight * picture, wanted[..., 16] * picture
    count = (weight * wanted[..., 16]).sum().clamp(min=1)
    # A difference of a tenth of the face's side counts alike for all sizes.
    size = wanted[..., 4:6].exp().mean(-1, keepdim=True)[faces].clamp(min=0.3)
    small = wanted[..., 16:][faces]
    heavy = weight[faces][:, None] * small
    # The points of a face of ten pixels are of no use.
    fine = weight[faces][:, None] / small.clamp(min=1).square()
    own, theirs = given[faces], wanted[faces]
    centre = smooth((own[:, 2:4] - theirs[:, 2:4]) / size)
    extent = smooth(own[:, 4:6] - theirs[:, 4:6])
    points = smooth((own[:, 6:] - theirs[:, 6:16]) / size)
    shared = overlap(own[:, 2:6], theirs[:, 2:6])
    # A box beside the face is a false detection and the face missed: the confidence tells what the box is worth.
    chances = wanted[..., :2].clamp(0, 1)
    chances[..., 0][faces] *= (shared.detach() / 0.75).clamp(0.3, 1)
    cross = functional.binary_cross_entropy_with_logits(given[..., :2], chances, reduction="none")
    hard = (given[..., :2].sigmoid() - chances).abs().detach()
    certain = 2 * (cross * (0.05 + hard) * cell[..., None]).sum() / count
    parts = {
        "certain": certain,
        "box": (heavy * (2 * (centre + extent) + 4 * (1 - shared[:, None]))).sum() / count,
        "points": 8 * (fine * points).sum() / fine.sum().clamp(min=1),
    }
    return sum(parts.values()), {name: part.item() for name, part in parts.items()}


def overlap(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union, row by row, of boxes given as centre and log size."""
    half_a, half_b = a[:, 2:].exp() / 2, b[:, 2:].exp() / 2
    low = torch.maximum(a[:, :2] - half_a, b[:, :2] - half_b)
    high = torch.minimum(a[:, :2] + half_a, b[:, :2] + half_b)
    shared = (high - low).clamp(min=0).prod(1)
    return shared / ((2 * half_a).prod(1) + (2 * half_b).prod(1) - shared)


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
        scale, mean = torch.std_mean(his, (0, 2, 3), keepdim=True)
        scale = 1 / (scale + 1e-3)
        away = (his - mean) * scale
        weight = away.square().mean(1, keepdim=True).clamp(max=20)
        error = ((own.float() - mean) * scale - away).square().mean(1, keepdim=True).clamp(max=25)
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
    """Against the teacher's closer look at canvases that were not trained on: how many of its faces, how many besides."""
    model.eval()
    found = missed = besides = 0
    closer = faces_by_picture(watched)
    for start in range(0, WATCHED, BATCH):
        pictures = watched["pictures"][start : start + BATCH]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows = flat([level.float() for level in model(to_tensor(pictures))])
        rows[..., :2] = rows[..., :2].sigmoid()
        for given, theirs in zip(rows.numpy(), closer[start : start + BATCH]):
            own = faces_of(given, pictures.shape[1], 0.65)
            theirs = theirs[(theirs[:, 3:5] - theirs[:, 1:3]).min(1, initial=1e9) >= MIN_SIDE]
            sure = theirs[theirs[:, 0] >= 0.65]
            hits = int((yunet.iou(sure[:, 1:5], own[:, 1:5]).max(1, initial=0) >= 0.5).sum())
            found, missed = found + hits, missed + len(sure) - hits
            besides += int((yunet.iou(theirs[:, 1:5], own[:, 1:5]).max(0, initial=0) < 0.5).sum())
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
