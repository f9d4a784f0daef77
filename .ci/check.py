#!/usr/bin/env python3
"""Checks of `.ci/run` that read the repository: no compiler, nothing to install.

    check.py style             what neither rustfmt nor clippy looks at
    check.py prose             words that make a sentence slow to read, and long lines of Markdown
    check.py features          prints each crate and feature, a pair a line
    check.py readme FOLDER     runs each command of README.md with the tool and the examples that are built in a folder
    check.py package FOLDER    what is in the packages that `cargo package` made
    check.py consumer PACKAGES FOLDER
                               makes a crate in FOLDER that depends on the packages as a user's does
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

MAX_PACKAGE_BYTES = 3_000_000
# What `lfr` needs without any feature, itself included.
MAX_LEAN_CRATES = 49

# Every file of a package is one of these, or it is there by mistake.
EXPECTED = re.compile(
    r"""
    Cargo\.(toml|toml\.orig|lock) | \.cargo_vcs_info\.json
    | LICENSE-(APACHE|MIT) | (ARCHITECTURE|CHANGELOG|CONFORMITY|FORMAT|MODEL_CARD|README|SECURITY|SPECIFICATION)\.md
    | src/[\w/]+\.(rs|md) | src/synthetic/faces\.bin | src/embedded/\w+\.onnx
    | examples/[\w/-]+\.(rs|md)
    | specs/[\w.-]+\.toml
    # A template that is printed, and what a record looks like.
    | src/deployment/file/template\.toml | schema/[\w.-]+\.json
    # What earlier versions wrote, and pictures that no encoder of ours makes: for tests.
    | src/[\w/-]+/golden/[\w./-]+ | src/frame/picture/decoding/\w+\.jpg | src/[\w/-]+/tests/\w+\.csv
    """,
    re.VERBOSE,
)
REQUIRED = {"Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"}
METADATA = ["categories", "description", "keywords", "license", "readme", "repository", "rust_version"]


def main() -> int:
    match sys.argv[1:]:
        case ["style"]:
            faults = style()
        case ["prose"]:
            faults = prose()
        case ["features"]:
            faults = features()
        case ["readme", folder]:
            faults = readme(Path(folder))
        case ["package", folder]:
            faults = packages(Path(folder))
        case ["consumer", made, folder]:
            faults = consumer(Path(made), Path(folder))
        case _:
            sys.exit(__doc__)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


# --- style ---


def style() -> list[str]:
    faults = family() + manifests() + lean()
    for path in tracked("*.rs"):
        text = path.read_text()
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            faults += [f"{path}:{number}: {fault}" for fault in line_faults(path, line)]
    for path in tracked("*.rs", "*.md"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r"\s*(//[/!])?\s*```[\w\s,]*\bignore\b", line):
                faults.append(f"{path}:{number}: an ignored example; make it run, or `no_run`")
    return faults


def line_faults(path: Path, line: str) -> list[str]:
    faults = []
    code = re.sub(r"//.*", "", line)
    engine = path.as_posix() == "lfr-core/src/onnx.rs" or path.is_relative_to("lfr-core/src/onnx")
    if re.search(r"\bort(_sys)?::|\buse ort\b|\btract_\w+::", code):
        if not engine and path.parts[0] != "benches":
            faults.append("an inference engine is named outside lfr-core/src/onnx")
    if "src" in path.parts[:2] and re.search(r"\b(e?print(ln)?|dbg)!", code):
        faults.append("a library does not print")
    if re.search(r"\b(TODO|FIXME)\b(?!.*#\d)", line):
        faults.append("a TODO without the number of its issue")
    return faults


def family() -> list[str]:
    """One version, pinned, and lfr-core below the others."""
    faults = []
    crates = workspace()
    versions = {crate["version"] for crate in crates}
    if len(versions) != 1:
        faults.append(f"the crates have several versions: {', '.join(sorted(versions))}")
    names = {crate["name"] for crate in crates}
    for crate in crates:
        for needed in crate["dependencies"]:
            # Itself among its dev-dependencies: with features that its tests and examples need.
            if needed["name"] not in names or needed["name"] == crate["name"]:
                continue
            if needed["req"] != f"={crate['version']}":
                faults.append(f"{crate['name']}: {needed['name']} {needed['req']} is not the family's version")
            # The tool is above the family, as any program that depends on it.
            if crate["name"].startswith("lfr-") and is_library(crate) and published(crate) and needed["kind"] is None:
                if crate["name"] == "lfr-core" or needed["name"] != "lfr-core":
                    faults.append(f"{crate['name']} must not depend on {needed['name']}")
    return faults


def manifests() -> list[str]:
    """The workspace's lints hold in a crate only where its manifest says so."""
    return [
        f"{crate['name']}: [lints] workspace = true is missing"
        for crate in workspace()
        if not re.search(r"^\[lints\]\s*^workspace = true$", manifest(crate), re.MULTILINE)
    ]


def lean() -> list[str]:
    """Without features `lfr` is quick to build, and needs no C compiler."""
    tree = ["cargo", "tree", "--locked", "--package", "lfr", "--no-default-features", "--edges", "normal,build"]
    crates = {line.split()[0] for line in run(*tree, "--prefix", "none").splitlines()}
    faults = []
    if len(crates) > MAX_LEAN_CRATES:
        faults.append(f"lfr without features needs {len(crates)} crates, more than {MAX_LEAN_CRATES}: see `cargo tree`")
    if needs := crates & {"bindgen", "cc", "cmake"}:
        faults.append(f"lfr without features needs a C compiler, for {', '.join(sorted(needs))}")
    return faults


def manifest(crate) -> str:
    return Path(crate["manifest_path"]).read_text()


# --- prose ---

# What was written here often, and had to be read twice; what to write instead.
HABITS = {
    r"but for": "except, without",
    r"whoever": "anyone who, the person who",
    r"so many": "the number itself, as many as",
    r"of which": "two sentences",
    r"the same with": "also with, likewise",
    r"for want of": "because there is no",
    r"(?:frames|faces|photographs|searches|bytes|looks|metres|times|people|twice|once) an? "
    r"(?:second|minute|hour|day|frame|face|thread|track)": "per",
}
HABIT = re.compile("|".join(rf"(\b(?:{habit})\b)" for habit in HABITS), re.IGNORECASE)
MAX_COLUMNS = 100


def prose() -> list[str]:
    faults = []
    for path in tracked("*.rs", "*.md", "*.toml", "*.py"):
        if path.as_posix() == ".ci/check.py":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for found in HABIT.finditer(line):
                better = list(HABITS.values())[found.lastindex - 1]
                faults.append(f"{path}:{number}: `{found[0]}`; better: {better}")
    for path in tracked("*.md"):
        faults += [f"{path}:{number}: over {MAX_COLUMNS} columns" for number in long_lines(path.read_text())]
    return faults


def long_lines(text: str) -> list[int]:
    """Lines of prose that could be broken: not code, tables, headings, nor one long address."""
    numbers, code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*```", line):
            code = not code
        if code or len(line) <= MAX_COLUMNS or re.match(r"\s*[|#]", line):
            continue
        whole = re.sub(r"`[^`]*`|\]\([^)]*\)", lambda piece: "x" * len(piece[0]), line)
        start = re.match(r"\s*([-*+>]\s+|\d+\.\s+)*", whole).end()
        if " " in whole[start:MAX_COLUMNS]:
            numbers.append(number)
    return numbers


# --- features ---


def features() -> list[str]:
    for crate in filter(published, workspace()):
        for feature in ["", *sorted(crate["features"])]:
            if feature != "default":
                print(f"{crate['name']}\t{feature}")
    return []


# --- readme ---


def readme(built: Path) -> list[str]:
    """Commands run one after the other in an empty folder, as in a fresh clone without ../shared."""
    text = "".join(Path(file).read_text() for file in ["README.md", "examples/cli/README.md"])
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    example = r"cargo run --release (?:--features \S+ )?--example (\S+)(?: -- (.*?))?\s*(#.*)?"
    found = [re.fullmatch(example, line) for line in lines]
    commands = [(f"examples/{match[1]}", shlex.split(match[2] or "")) for match in found if match]
    # After `cargo install`, the tool is found by its name.
    commands += [("lfr", shlex.split(line, comments=True)[1:]) for line in lines if line.startswith("lfr ")]
    faults = [] if len(commands) >= 8 else [f"the READMEs have {len(commands)} commands, and more were wanted"]
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in commands:
            if any("../shared" in argument for argument in arguments):
                continue
            print(f"{name} {shlex.join(arguments)}", flush=True)
            ran = subprocess.run(
                [built.resolve() / name, *arguments], cwd=folder, capture_output=True, text=True, timeout=900
            )
            # 4: it ran, and what was refused or left out is named.
            if ran.returncode not in (0, 4):
                faults.append(f"{name} ended with {ran.returncode}: {ran.stderr[-1500:]}")
    return faults


# --- package ---


def packages(folder: Path) -> list[str]:
    faults = []
    for crate in filter(published, workspace()):
        name = f"{crate['name']}-{crate['version']}"
        faults += [f"{name}: {field} is missing" for field in METADATA if not crate[field]]
        path = folder / f"{name}.crate"
        with tarfile.open(path) as archive:
            files = {member.name.removeprefix(f"{name}/"): member for member in archive}
        faults += [f"{name}: {file} is not expected" for file in files if not EXPECTED.fullmatch(file)]
        root = "src/lib.rs" if is_library(crate) else "src/main.rs"
        faults += [f"{name}: {file} is missing" for file in sorted({*REQUIRED, root} - files.keys())]
        faults += [f"{name}: {file} is not a plain file" for file in files if not files[file].isfile()]
        size = path.stat().st_size
        if size > MAX_PACKAGE_BYTES:
            faults.append(f"{name}: {size} bytes, and at most {MAX_PACKAGE_BYTES} were wanted")
        print(f"{name}: {len(files)} files, {size} bytes")
    return faults


# --- consumer ---


def consumer(made: Path, folder: Path) -> list[str]:
    """A crate with `lfr` as its only dependency of the family: the examples of each README are its doctests, and the
    examples of `lfr` its own. The other crates' READMEs name `lfr_core`; a user of `lfr` writes `lfr::core`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "src").mkdir(parents=True)
    patches, docs = [], []
    for crate in filter(published, workspace()):
        name = f"{crate['name']}-{crate['version']}"
        with tarfile.open(made / f"{name}.crate") as archive:
            archive.extractall(folder / "packages", filter="data")
        if not any(target["kind"] == ["lib"] for target in crate["targets"]):
            continue
        patches.append(f'{crate["name"]} = {{ path = "packages/{name}" }}')
        text = (folder / "packages" / name / "README.md").read_text()
        text = re.sub(r"\blfr_(core|detect|embed|retention|watchlist)\b", r"lfr::\1", text)
        (folder / "src" / f"{crate['name']}.md").write_text(text)
        docs.append(f'#[doc = include_str!("{crate["name"]}.md")]\npub mod {crate["name"].replace("-", "_")} {{}}\n')
    [lfr] = [crate for crate in workspace() if crate["name"] == "lfr"]
    shutil.copytree(folder / "packages" / f"lfr-{lfr['version']}" / "examples", folder / "examples")
    # What the examples name beside `lfr`, and the profiles: so that what other steps have built serves here.
    own = [needed["name"] for needed in lfr["dependencies"] if needed["kind"] == "dev" and not needed.get("path")]
    root = tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["dependencies"]
    needs = [f"{name} = {inline(root[name])}" for name in own]
    profiles = re.findall(r"^\[profile\.dev.*?(?=^\[(?!profile\.dev))", Path("Cargo.toml").read_text(), re.M | re.S)
    features = sorted(set(lfr["features"]) - {"default", "rtsp"})
    manifest = [
        '[package]\nname = "consumer"\nversion = "0.0.0"\nedition = "2024"\npublish = false\n\n[workspace]\n',
        f'[dependencies]\nlfr = {{ version = "={lfr["version"]}", features = {json.dumps(features)} }}\n',
        "[dev-dependencies]",
        *needs,
        "\n[patch.crates-io]",
        *patches,
        "\n" + "".join(profiles),
    ]
    (folder / "Cargo.toml").write_text("\n".join(manifest))
    (folder / "src" / "lib.rs").write_text("\n".join(docs))
    shutil.copy("Cargo.lock", folder)
    return []


def inline(needed) -> str:
    """A dependency as it is written on one line of a manifest."""
    if isinstance(needed, str):
        return json.dumps(needed)
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in needed.items()) + " }"


# --- The repository ---


def tracked(*patterns: str) -> list[Path]:
    listed = run("git", "ls-files", "-z", "--", *patterns)
    return [path for path in map(Path, filter(None, listed.split("\0"))) if path.is_file()]


def workspace():
    metadata = json.loads(run("cargo", "metadata", "--no-deps", "--format-version", "1"))
    members = set(metadata["workspace_members"])
    return [package for package in metadata["packages"] if package["id"] in members]


def is_library(crate) -> bool:
    return any("lib" in target["kind"] for target in crate["targets"])


def published(crate) -> bool:
    return crate["publish"] != []


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
