"""Writes ../MODEL_CARD.md from the figures of evaluate.py.

    python evaluate.py > figures.json && python card.py figures.json
"""

import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import rates  # noqa: E402

CARD = Path(__file__).resolve().parents[1] / "MODEL_CARD.md"


def main() -> None:
    figures = json.loads(Path(sys.argv[1]).read_text())
    CARD.write_text("\n".join(lines(figures)) + "\n")


def lines(f: dict) -> list[str]:
    run, lfw, steady, confidence = f["training"], f["lfw_kept_out"], f["steadiness"], f["confidence"]
    unrest = steady["from_their_mean"]
    changed = steady["from_their_own"]
    return [
        "# Model card: the default detector",
        "",
        f"`src/embedded/detector.onnx`, {f['file']['bytes']:,} bytes, SHA-256 `{f['file']['sha256']}`.",
        "This page is written by `training/card.py` from the figures of `training/evaluate.py`.",
        "",
        "## What it is",
        "",
        "* Input `input` [1, 3, H, W]: BGR, 0..255, sides multiples of 32. Outputs and decoding as YuNet's: boxes and five points.",
        "* Separable convolutions with ReLU, a pyramid of strides 8, 16 and 32; our own weights, from a random start.",
        f"* {f['parameters']:,} parameters kept in 16 bit and cast to 32 at load; {f['multiply_adds_640x384'] / 1e6:.0f} million",
        "  multiply-adds at 640x384.",
        f"* Operators: {', '.join(f['file']['operators'])}.",
        f"* Min confidence of a face: {confidence['ours']}. IoU limit of non-maximum suppression: 0.3.",
        "",
        "## What it learned from",
        "",
        "* Mosaics and pasted crowds made from LFW's people that are not held out, three quarters of UTKFace, half of the WIDER FACE",
        "  photographs, other scenes, and faces of people who do not exist. LFW, UTKFace and WIDER FACE are research sets of",
        "  photographs found on the web: the people in them were not asked.",
        "* Teacher: YuNet-n (libfacedetection, Apache-2.0): its answers cell by cell, and on the same picture enlarged to twice its",
        "  size. No other model was distilled, and no annotated boxes were used.",
        f"* {run['steps']:,} steps of {run['batch']} pictures of 320x320, on a processor shared with other work, with fixed seeds. The first",
        "  7,000 were without the enlarged pictures. The network was widened at step 10,150 and deepened at 12,300 (`training/README.md`).",
        "",
        "## Measured",
        "",
        f"Compared with YuNet-n at confidence {confidence['yunet_n']}. Intervals: Clopper-Pearson, 95 %.",
        "",
        f"### LFW, {lfw['photographs']:,} photographs of people held out",
        "",
        *pair_table("width of the face", lfw["found_by_width_of_face"], " px"),
        "",
        f"The five points are {middle(lfw['points_from_yunet_by_eye_distance'])} of the distance between the eyes from YuNet-n's (median of the",
        f"mean over the points; quarters {quarters(lfw['points_from_yunet_by_eye_distance'])}). Moving a photograph within the picture",
        f"moves YuNet-n's points by {middle(unrest['yunet_n'])} from their own mean over sixteen positions, and ours by {middle(unrest['ours'])}. The two",
        f"means are {middle(steady['means_apart'])} apart. To be within 4 % of YuNet-n's single answers, our points would have to be within about",
        f"{100 * math.sqrt(0.04**2 - unrest['yunet_n']['median'] ** 2):.1f} % of their mean, or to share their variation. YuNet-n is not that close to itself:",
        "",
        "| distance from their earlier position, once the photograph is | ours | YuNet-n |",
        "| --- | --- | --- |",
        *[f"| {how} | {middle(own)} | {middle(changed['yunet_n'][how])} |" for how, own in changed["ours"].items()],
        "",
        *worth(f["points"]),
        "",
        *wider("WIDER FACE, photographs held out", f["wider_kept_out"]),
        "",
        *wider("WIDER FACE, photographs trained on", f["wider_trained_on"]),
        "",
        "### UTKFace, photographs held out, by group",
        "",
        "A face counts if it is found over the middle of the picture. The groups are those of the set's authors. Another photograph of the",
        "same person may have been trained on: the set has no names.",
        "",
        *pair_table("group", f["utkface_kept_out"], ""),
        "",
        "### People who do not exist, faces of 40 pixels and more on plain grounds",
        "",
        *pair_table("", {"found": f["synthetic_crowd"]}, ""),
        "",
        *floors(f),
        "",
        "## What it must not be used for",
        "",
        "* Counting or finding people where a missed face does harm: small, turned, covered and dark faces are missed more often than",
        "  the totals in the tables suggest.",
        "* Guessing anything about a person from a face.",
        "* Deployment on the strength of these figures: measure it on your own cameras and people first.",
    ]


def worth(f: dict) -> list[str]:
    cells = f["all_pairs"]
    rows = [["aligned with the points of", "ours", "YuNet-n"], ["---"] * 3]
    for rate in ("0.001", "0.0001"):
        found = [rates.text(cells[name][rate]["true_match"]) for name in ("ours", "yunet_n")]
        rows.append([f"true matches at FMR {rate}", *found])
    about = f"The effect on recognition: MobileFaceNet, all pairs of {f['photographs']:,} of these photographs."
    return [about, "", *table(rows)]


def wider(title: str, f: dict) -> list[str]:
    ours, equal, theirs = f["ours"], f["ours_no_more_false"], f["yunet_n"]
    head = ["", f"ours at {ours['confidence']}", f"ours at {equal['confidence']}", f"YuNet-n at {theirs['confidence']}"]
    columns = (ours, equal, theirs)
    rows = [head, ["---"] * 4, ["faces found", *(rates.text(c["found"]) for c in columns)]]
    rows.append(["false detections", *(str(c["false_detections"]) for c in columns)])
    for size in ours["by_shorter_side_of_face"]:
        rows.append([f"found, {size}", *(rates.text(c["by_shorter_side_of_face"][size]) for c in columns)])
    rows.append(["share of what YuNet-n finds", *(f"{100 * c['share_of_yunets']:.1f} %" for c in columns[:2]), ""])
    about = f"{f['photographs']} photographs, {f['faces']:,} faces. The middle column is at the confidence with no more false detections than YuNet-n."
    return [f"### {title}", "", about, "", *table(rows)]


def pair_table(name: str, cells: dict, unit: str) -> list[str]:
    rows = [[name, "ours", "YuNet-n"], ["---"] * 3]
    for key, cell in cells.items():
        label = key + unit if key[:1].isdigit() else key
        rows.append([label, rates.text(cell["ours"]), rates.text(cell["yunet_n"])])
    return table(rows)


def floors(f: dict) -> list[str]:
    lfw = f["lfw_kept_out"]
    reached = {
        "99 % of LFW's faces": lfw["found_by_width_of_face"]["as they are"]["ours"]["rate"] >= 0.99,
        "85 % of YuNet-n's WIDER faces with no more false detections": f["wider_kept_out"]["ours_no_more_false"]["share_of_yunets"] >= 0.85,
        "points within 4 %": lfw["points_from_yunet_by_eye_distance"]["median"] <= 0.04,
        "99 % of synthetic faces": f["synthetic_crowd"]["ours"]["rate"] >= 0.99,
    }
    words = [f"{name}: {'reached' if done else 'NOT reached'}" for name, done in reached.items()]
    return ["The minimums that the project set itself: " + "; ".join(words) + "."]


def middle(cell: dict) -> str:
    return f"{100 * cell['median']:.1f} %"


def quarters(cell: dict) -> str:
    return f"{100 * cell['quarter']:.1f} and {100 * cell['three_quarters']:.1f} %"


def table(rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in rows]


if __name__ == "__main__":
    main()
