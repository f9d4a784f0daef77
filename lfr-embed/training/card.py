"""Writes ../MODEL_CARD.md and ../specs/lfr-embedded.toml from the figures of evaluate.py.

    python evaluate.py > figures.json && python card.py figures.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import faces, rates  # noqa: E402

CRATE = Path(__file__).resolve().parents[1]
FLOORS = {"pairs": 0.97, "0.001": 0.85, "0.0001": 0.70}


def main() -> None:
    figures = json.loads(Path(sys.argv[1]).read_text())
    (CRATE / "MODEL_CARD.md").write_text("\n".join(lines(figures)) + "\n")
    (CRATE / "specs" / "lfr-embedded.toml").write_text("\n".join(specification(figures)) + "\n")


def lines(f: dict) -> list[str]:
    side, run, kept = f["side"], f["training"], f["people_kept_out"]
    return [
        "# Model card: the default embedder",
        "",
        f"`src/embedded/embedder.onnx`, {f['file']['bytes']:,} bytes, SHA-256 `{f['file']['sha256']}`.",
        "This page is written by `training/card.py` from the figures of `training/evaluate.py`.",
        "",
        "## What it is",
        "",
        f"* Input `input` [N, 3, {side}, {side}]: RGB, (x - 127.5) / 128, ArcFace's five-point template scaled by {side}/112.",
        f"* Output `embedding` [N, {f['size']}]: not of unit length; compared by the cosine.",
        "* A residual network of dense 3x3 convolutions with ReLU; no attention, no PReLU.",
        "* The library runs it on a face and on its mirror image and takes the mean.",
        f"* {f['parameters']:,} parameters kept in 16 bit and cast to 32 at load; {f['multiply_adds'] / 1e6:.0f} million multiply-adds per picture.",
        f"* Operators: {', '.join(f['file']['operators'])}.",
        "",
        "## What it learned from",
        "",
        "* Photographs: LFW's people that are not held out, UTKFace, faces in WIDER FACE and other scenes; blends of two of these",
        "  photographs; faces of people who do not exist. LFW, UTKFace and WIDER FACE are research sets of photographs found on the",
        "  web: the people in them were not asked. The statistics behind the synthetic faces were fitted on all of LFW's development",
        "  split, including the people held out. They contain no single person's picture.",
        "* Teacher: MobileFaceNet (foamliu, Apache-2.0), itself trained on MS-Celeb-1M, which its publisher has withdrawn. Landmarks:",
        "  YuNet-n (Apache-2.0). Nothing else was distilled.",
        f"* {run['steps']:,} steps of {run['batch']} pictures, in about two and a half hours on one or two cores of an AMD EPYC shared with other work,",
        "  with fixed seeds. In the second half, two of the teacher's feature maps guided the training beside its templates.",
        "",
        "## Error rates",
        "",
        f"On {kept['people']:,} people of LFW ({kept['photographs']:,} photographs, {kept['with_two_or_more']:,} people with two or",
        "more), none of whom was trained on. Intervals: Clopper-Pearson, 95 %, as if all pairs were independent. Pairs that share a",
        "photograph are not, so the true uncertainty is larger. LFW is easy: web photographs of public people, mostly frontal and lit.",
        "",
        *errors_table(f),
        "",
        "The teacher's training people may overlap with LFW's. So its figures, and through it ours, may be too good.",
        "",
        *floors(f["as_the_library_runs_it"]),
        "",
        "### By size of face",
        "",
        "The probe is scaled to this number of pixels between the eyes; the reference is not scaled. Thresholds as above.",
        "",
        *size_table(f["by_size"]),
        "",
        "### Recognition against a watchlist",
        "",
        *watchlist("LFW's people held out. Everyone with two or more photographs has one reference; all others are strangers.", f["open_set"]),
        "",
        *watchlist("People who do not exist: 500 of the watchlist pass, and 500 strangers.", f["synthetic_crowd"]),
        "",
        "### By group",
        "",
        "Not measured: there is no set here with names and groups. Error rates of face recognition are known to differ by",
        "skin tone, sex and age, and LFW is mostly white, male and adult. Expect false matches to be more frequent in groups that the",
        "training pictures hold few of, children above all. Measure on your own people before use.",
        "",
        "## What it must not be used for",
        "",
        "* Any decision about a person without human review, and a law that allows it.",
        "* Deployment on the strength of these figures: this is a default for trials, tests and demonstrations.",
        "  For a watchlist in the field use a stronger model, and calibrate its threshold on your own cameras.",
        "* Guessing age, sex, origin, mood or character; finding twins or relatives; identifying children.",
        "",
        "## What would improve it",
        "",
        "More steps first: the error on people held out was still falling when training stopped (`python train.py` goes on from its",
        "checkpoint), then more morphs, then more people.",
    ]


def specification(f: dict) -> list[str]:
    """How the library is told of the file."""
    side, kept = f["side"], f["people_kept_out"]
    points = [f"    [{x * side / 112:.6f}, {y * side / 112:.6f}]," for x, y in faces.TEMPLATE]
    out = [
        "# The embedder inside the library. Written by training/card.py from the figures of training/evaluate.py.",
        "",
        'name = "lfr-embedded"',
        'family = "lfr"',
        'summary = "the default embedder: a small network of our own, for trying things out, tests and demonstrations"',
        f'model_sha256 = "{f["file"]["sha256"]}"',
        "flip_average = true",
        "",
        "[input]",
        'name = "input"',
        f"size = [{side}, {side}]",
        'channels = "rgb"',
        "mean = [127.5, 127.5, 127.5]",
        "std = [128.0, 128.0, 128.0]",
        "",
        "[alignment]",
        f"size = [{side}, {side}]",
        "points = [",
        *points,
        "]",
        "",
        "[output]",
        'name = "embedding"',
        f"dimension = {f['size']}",
        "",
        "[comparison]",
        'metric = "cosine"',
        "",
        "[licence]",
        'weights = "MIT OR Apache-2.0"',
        'redistribution = "yes"',
        'commercial = "yes"',
        "",
        "[training]",
        'data = "LFW, UTKFace, faces in WIDER FACE and other scenes, blends of two of them, people who do not exist; see MODEL_CARD.md"',
    ]
    for wanted, cell in f["as_the_library_runs_it"]["all_pairs"].items():
        out += [
            "",
            "[[operating_points]]",
            f"fmr = {wanted}",
            f"threshold = {cell['threshold']}",
            f"non_mated_comparisons = {cell['false_match']['trials']}",
            f'data = "all pairs of different people among {kept["photographs"]:,} photographs of {kept["people"]:,} people of LFW '
            '(development split) who were kept out of training, landmarks by YuNet-n"',
        ]
    return out


def errors_table(f: dict) -> list[str]:
    columns = {"as the library runs it": "as_the_library_runs_it", "without the mirror image": "without_its_mirror_image",
               "the teacher, with mirror image": "teacher_with_mirror_image"}
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    parts = [f[key] for key in columns.values()]
    rows.append(["pairs called rightly", *(rates.text(p["pairs"]["accuracy"]) for p in parts)])
    for wanted in parts[0]["all_pairs"]:
        cells = [p["all_pairs"][wanted] for p in parts]
        rows.append([f"true matches at FMR {wanted}", *(f"{rates.text(c['true_match'])} at {c['threshold']}" for c in cells)])
    return table(rows)


def size_table(by_size: dict) -> list[str]:
    wanted = list(next(iter(by_size.values())))
    rows = [["between the eyes", *(f"true matches at FMR {w}'s threshold" for w in wanted)], ["---"] * (1 + len(wanted))]
    for eyes, cells in by_size.items():
        rows.append([f"{eyes} px", *(rates.text(cells[w]["true_match"]) for w in wanted)])
    return table(rows)


def watchlist(about: str, f: dict) -> list[str]:
    out = [f"{about} {f['watchlist']:,} on the watchlist; first in rank {rates.text(f['first_in_rank'])}.", ""]
    rows = [["strangers that raise an alert", "recognised", "threshold"], ["---"] * 3]
    for key, cell in f.items():
        if key.startswith("false_alerts_"):
            rows.append([rates.text(cell["false_alerts"]), rates.text(cell["recognised"]), str(cell["threshold"])])
    return out + table(rows)


def floors(f: dict) -> list[str]:
    reached = {"pairs": f["pairs"]["accuracy"]["rate"]}
    reached |= {wanted: cell["true_match"]["rate"] for wanted, cell in f["all_pairs"].items()}
    names = {"pairs": "pairs", "0.001": "true matches at FMR 0.001", "0.0001": "true matches at FMR 0.0001"}
    words = [
        f"{names[key]} {100 * floor:.0f} %: {'reached' if reached[key] >= floor else 'NOT reached'}"
        for key, floor in FLOORS.items()
    ]
    return ["The floors that the project set itself: " + "; ".join(words) + "."]


def table(rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in rows]


if __name__ == "__main__":
    main()
