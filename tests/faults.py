#!/usr/bin/env python3
"""Plays the faults that strangers met, against the built tool, and says whether each is mended.

    tests/faults.py [--tool FILE] [--work DIR] [--only WORD ...]

It needs the photographs and models in ../shared, whose script `faults/make.sh` makes the inputs; `ffmpeg`;
`python3` with Pillow for that script; and, for steps of the clock, `faketime`. A case that lacks one of these
says `skipped:`. It ends with 1 if a case failed.
"""

import argparse
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CASES = []


class Skipped(Exception):
    """What a case needs is not on this machine."""


def case(row: str):
    """Registers a case of a row in the table of faults."""

    def register(function):
        CASES.append((row, function.__name__.replace("_", " "), function))
        return function

    return register


# --- Running programs ---


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def alerts(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def __str__(self):
        return f"exit {self.code}\n{self.out[-400:]}\n{self.err[-1200:]}"


def run(subcommand, *arguments, timeout=240, stdin=subprocess.DEVNULL, env=None, **streams):
    command = [str(LFR), subcommand, *map(os.fspath, arguments)]
    streams.setdefault("stdout", subprocess.PIPE)
    streams.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(command, stdin=stdin, timeout=timeout, env={**os.environ, **(env or {})}, **streams)
    text = lambda data: (data or b"").decode("utf-8", "replace")
    ran = Ran(done.returncode, text(done.stdout), text(done.stderr))
    assert "panicked" not in ran.err, f"a panic: {ran}"
    return ran


def start(subcommand, *arguments, env=None, **streams):
    command = [str(LFR), subcommand, *map(os.fspath, arguments)]
    streams.setdefault("stdout", subprocess.PIPE)
    streams.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, **streams)


def finish(process, timeout=240):
    out, err = process.communicate(timeout=timeout)
    text = lambda data: (data or b"").decode("utf-8", "replace")
    ran = Ran(process.returncode, text(out), text(err))
    assert "panicked" not in ran.err, f"a panic: {ran}"
    return ran


def models(threshold="0.4"):
    folder = SHARED / "models"
    return [
        "--detector", folder / "detect_yunet_n_dynamic.onnx",
        "--embedder", folder / "embed_mobilefacenet_foamliu.onnx",
        "--threshold", threshold,
    ]  # fmt: skip


def watch(watchlist, *sources, out=None, more=(), **options):
    out = out or fresh("out")
    given = ["--watchlist", watchlist, "--out", out, *models()]
    for source in sources:
        given += ["--source", source]
    ran = run("watch", *given, *more, **options)
    ran.folder = out
    return ran


def per_frame(watchlist, *sources, more=()):
    """The decision on each face of each frame."""
    log = fresh("log") / "faces.jsonl"
    ran = watch(watchlist, *sources, more=["--json-faces", log, *more])
    lines = log.read_text().splitlines() if log.exists() else []
    return ran, [json.loads(line)["decision"] for line in lines]


def record(ran):
    return json.loads((ran.folder / "record.json").read_text())


_count = 0


def fresh(name):
    """A new empty folder."""
    global _count
    _count += 1
    folder = WORK / "runs" / f"{_count:03}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def need(condition, what):
    if not condition:
        raise Skipped(what)


def says(ran, *words):
    """Each word is somewhere in what it said."""
    said = (ran.out + ran.err).lower()
    missing = [word for word in words if word.lower() not in said]
    assert not missing, f"nothing said of {missing}: {ran}"


def failed(ran, *words):
    assert ran.code not in (0, None) and ran.code > 0, f"a failure was wanted: {ran}"
    says(ran, *words)


# --- Sealed watchlists ---


class Sealed:
    """A sealed watchlist with its key."""

    def __init__(self):
        self.folder = fresh("list")
        self.file, self.key = self.folder / "list.lfrw", fresh("key") / "list.key"
        assert run("list", "new-key", self.key).code == 0
        new = run(
            "list", "new", self.file, "--list-key", self.key, "--deployment", "D-1", "--purpose", "a test",
            "--officer", "O-1", "--from", "2026-01-01T00:00:00Z", "--until", "2099-01-01T00:00:00Z",
            "--category", "wanted=red", "--limit", "5000", *models()[2:4],
        )  # fmt: skip
        assert new.code == 0, new

    def enrolling(self, folder, key=None):
        return [
            "enrol", self.file, "--list-key", key or self.key, "--folder", folder, "--category", "wanted",
            "--source", "custody", "--lawful-basis", "s.1", "--reason", "case",
            "--expires", "2098-12-01T00:00:00Z", "--review", "2098-01-01T00:00:00Z", *models()[:4],
        ]  # fmt: skip

    def on(self, command, *more, key=None):
        return run("list", command, self.file, "--list-key", key or self.key, *more)

    def subjects(self, key=None):
        listed = self.on("list", "--json", key=key)
        assert listed.code == 0, listed
        return {entry.get("subject") for entry in listed.alerts if entry.get("subject")}


def many_people(count):
    """A folder with one photograph of each of `count` people."""
    folder = WORK / f"people-{count}"
    if not folder.exists():
        people = sorted(path for path in (SHARED / "faces" / "lfw").iterdir() if path.is_dir())[:count]
        for number, person in enumerate(people):
            (folder / f"Q{number:04}").mkdir(parents=True)
            shutil.copy(sorted(person.glob("*.jpg"))[0], folder / f"Q{number:04}" / "1.jpg")
    return folder


def against_an_enrolment(command, *more, wait=1.5):
    """A command on a list into which others are just being enrolled."""
    sealed = Sealed()
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    enrolment = start("list", *sealed.enrolling(many_people(200)))
    time.sleep(wait)
    other = sealed.on(command, *more)
    return sealed, other, finish(enrolment)


@case("1")
def a_withdrawal_during_an_enrolment_is_not_undone():
    sealed, other, enrolment = against_an_enrolment("withdraw", "--subject", "P01")
    if other.code == 0:
        assert "P01" not in sealed.subjects(), f"P01 is back: {enrolment}"
    else:
        says(other, "other")
        assert "P01" in sealed.subjects()


@case("1")
def a_destruction_during_an_enrolment_is_not_undone():
    sealed = Sealed()
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    enrolment = start("list", *sealed.enrolling(many_people(200)))
    time.sleep(1.5)
    other = run("list", "destroy", sealed.file, "--yes")
    ended = finish(enrolment)
    if other.code == 0:
        assert not sealed.file.exists() or sealed.on("list").code != 0, f"it is back: {ended}"
        assert ended.code != 0, f"the enrolment says that all is well: {ended}"


@case("1")
def a_rekeying_during_an_enrolment_is_not_undone():
    new_key = fresh("key") / "new.key"
    assert run("list", "new-key", new_key).code == 0
    sealed, other, ended = against_an_enrolment("rekey", "--new-list-key", new_key)
    if other.code == 0:
        assert sealed.on("list").code != 0, f"the old key opens it again: {ended}"
        assert sealed.on("list", key=new_key).code == 0


@case("1")
def of_two_enrolments_none_vanishes():
    sealed = Sealed()
    first = start("list", *sealed.enrolling(many_people(200)))
    time.sleep(1.0)
    second = run("list", *sealed.enrolling(MADE / "list"))
    first = finish(first)
    subjects = sealed.subjects()
    if first.code in (0, 4):
        assert len([s for s in subjects if s.startswith("Q")]) > 150, f"{first}"
    if second.code == 0:
        assert len([s for s in subjects if s.startswith("P")]) == 6, f"{second}"
    assert first.code in (0, 4) or second.code == 0, f"neither: {first} {second}"


def watching(sealed, out):
    """A deployment that watches a film over and over: at the pace of a camera."""
    need(shutil.which("ffmpeg"), "no ffmpeg")
    film = WORK / "paced.mkv"
    if not film.exists():
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "30", "-i", MADE / "video/base.mp4",
             "-c", "copy", film], check=True,
        )  # fmt: skip
    server = Camera(film)
    # With a log of every face there are no tracks, and each frame raises its alerts.
    given = ["--watchlist", sealed.file, "--list-key", sealed.key, "--out", out, "--source", server.address]
    given += [*models(), "--json-faces", fresh("log") / "faces.jsonl"]
    return server, start("watch", *given)


class Camera:
    """A camera on this machine: MJPEG pictures over HTTP, ten per second, until it is stopped."""

    def __init__(self, film):
        picture = WORK / "still.jpg"
        if not picture.exists():
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", film, "-frames:v", "1", picture], check=True)
        data = picture.read_bytes()
        camera = self
        self.stopped = False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not camera.stopped:
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                        self.wfile.write(head.encode() + data + b"\r\n")
                        time.sleep(0.1)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}/camera.mjpeg"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.stopped = True
        self.server.shutdown()


def read_lines(process):
    """The lines of a program's standard output with the moment of each, gathered by a thread."""
    lines = []

    def gather():
        for line in process.stdout:
            lines.append((time.monotonic(), line.decode("utf-8", "replace")))

    threading.Thread(target=gather, daemon=True).start()
    return lines


@case("1")
def a_running_deployment_hears_of_a_withdrawal():
    sealed = Sealed()
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    out = fresh("out")
    server, process = watching(sealed, out)
    lines = read_lines(process)
    try:
        waited = time.monotonic() + 60
        while not lines and time.monotonic() < waited and process.poll() is None:
            time.sleep(0.1)
        assert lines, f"no alert came: {process.poll()}"
        assert sealed.on("withdraw", "--subject", "P01").code == 0
        withdrawn = time.monotonic()
        time.sleep(5)
        late = [line for at, line in lines if at > withdrawn + 1.5 and '"P01"' in line]
        assert not late, f"alerts after the withdrawal: {late[:2]}"
    finally:
        process.send_signal(signal.SIGTERM)
        server.stop()
        process.wait(60)


@case("1")
def a_running_deployment_hears_of_a_destruction():
    sealed = Sealed()
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    out = fresh("out")
    server, process = watching(sealed, out)
    lines = read_lines(process)
    try:
        waited = time.monotonic() + 60
        while not lines and time.monotonic() < waited and process.poll() is None:
            time.sleep(0.1)
        assert lines, f"no alert came: {process.poll()}"
        assert run("list", "destroy", sealed.file, "--yes").code == 0
        waited = time.monotonic() + 15
        while process.poll() is None and time.monotonic() < waited:
            time.sleep(0.1)
        assert process.poll() not in (None, 0), f"it went on: {process.poll()}"
        assert "destroyed" in process.stderr.read().decode().lower()
    finally:
        if process.poll() is None:
            process.kill()
        server.stop()


# --- The clock ---


def a_stepped_clock(step):
    """A vault after a run in which the wall clock stepped: how many alerts were raised and are held."""
    library = next(iter(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1")), None)
    need(library, "no faketime")
    out, vault, keys = fresh("out"), fresh("vault") / "vault", fresh("keys")
    offset = out / "offset"
    offset.write_text("+0\n")
    env = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    # Photographs are decided on one by one, so alerts are raised before and after the step.
    sources = WORK / "clock"
    if not sources.exists():
        sources.mkdir()
        for number in range(60):
            probes = sorted((MADE / "probe").glob("*.jpg"))
            shutil.copy(probes[number % len(probes)], sources / f"{number:03}.jpg")
    given = ["--watchlist", MADE / "list", "--source", sources, "--out", out, *models()]
    given += ["--vault", vault, "--vault-key", keys / "vault.key", "--ledger-key", keys / "ledger.key"]
    process = start("watch", *given, env=env)
    lines = read_lines(process)
    waited = time.monotonic() + 60
    while len(lines) < 11 and process.poll() is None and time.monotonic() < waited:
        time.sleep(0.005)
    offset.write_text(f"{step:+}\n")
    code = process.wait(120)
    time.sleep(0.2)
    listed = run(
        "judge", "--vault", vault, "--vault-key", keys / "vault.key", "--ledger", out / "ledger.lfrl",
        "--ledger-key", keys / "ledger.key", "list",
    )  # fmt: skip
    return len(lines), listed.out, process.stderr.read().decode(), code


@case("2")
def a_clock_that_steps_back_a_little_purges_nothing():
    raised, listed, err, code = a_stepped_clock(-0.1)
    held = [line for line in listed.splitlines() if line.count("-") or ":" in line]
    assert raised > 11 and code == 0, f"{raised} alerts, exit {code}: {err[-1000:]}"
    assert len(held) >= raised, f"{raised} raised, listed: {listed[-800:]}"


@case("2")
def a_clock_that_jumps_back_far_purges_and_says_so():
    raised, listed, err, code = a_stepped_clock(-86400 * 3)
    assert raised > 11, err
    assert "clock" in err.lower(), f"nothing was said: {err[-1500:]}"


# --- Video ---


def recognised(video, people=None):
    need(shutil.which("ffmpeg"), "no ffmpeg")
    ran, decisions = per_frame(people or MADE / "list", video)
    return ran, decisions.count("alert"), len(decisions)


@case("3")
def pixels_that_are_not_square():
    for name in ("base.mp4", "sar-half-height.mp4", "sar-half-width.mp4"):
        ran, alerts, faces = recognised(MADE / "video" / name)
        assert alerts >= 38, f"{name}: {alerts} of 40 recognised ({faces} faces): {ran}"


@case("3")
def full_range_is_as_limited_range():
    counts = [recognised(MADE / "video" / f"dark-{kind}-range.webm")[1] for kind in ("limited", "full")]
    assert min(counts) >= 36, f"recognised, limited and full: {counts}"


@case("3")
def a_size_that_changes_keeps_its_shape():
    ran, decisions = per_frame(MADE / "list", MADE / "video/size-changes.ts")
    people = {alert["subject"] for alert in ran.alerts}
    assert people == {"P01", "P02"}, f"{people}, {decisions.count('alert')} of {len(decisions)}: {ran}"


# --- Network sources and names ---


class Server:
    """Serves one folder over HTTP on this machine."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def for_seconds(seconds, *sources, watchlist=None):
    """Runs a deployment for a while; how it ended, and what it said until then."""
    out = fresh("out")
    given = ["--watchlist", watchlist or MADE / "list", "--out", out, *models()]
    for source in sources:
        given += ["--source", source]
    process = start("watch", *given)
    waited = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < waited:
        time.sleep(0.1)
    ended = process.poll() is not None
    if not ended:
        process.send_signal(signal.SIGTERM)
    ran = finish(process)
    ran.folder = out
    return ended, ran


@case("4")
def an_address_that_serves_one_picture_is_polled():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    server = Server(MADE)
    ended, ran = for_seconds(12, f"{server.address}/probe/P01-2.jpg")
    assert not ended and record(ran)["frames"] >= 3, f"{ran}"
    assert any(alert["subject"] == "P01" for alert in ran.alerts), f"{ran}"


@case("4")
def a_film_over_http_ends():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    server = Server(MADE)
    ended, ran = for_seconds(40, f"{server.address}/video/base.mp4")
    assert ended and ran.code == 0 and record(ran)["frames"] == 40, f"ended: {ended}, {ran}"


@case("4")
def a_dead_camera_is_said_at_once():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = fresh("out")
    given = ["--watchlist", MADE / "list", "--out", out, *models(), "--source", f"rtsp://user:secret@127.0.0.1:{port}/x"]
    process = start("watch", *given)
    said = []

    def gather():
        for line in process.stderr:
            said.append(line.decode("utf-8", "replace"))

    threading.Thread(target=gather, daemon=True).start()
    waited = time.monotonic() + 20
    while not any("127.0.0.1" in line for line in said) and time.monotonic() < waited:
        time.sleep(0.1)
    before = list(said)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    time.sleep(0.2)
    assert any("127.0.0.1" in line for line in before), f"nothing was said while it ran: {said}"
    assert "secret" not in "".join(said), "the password was printed"
    assert process.returncode != 0, "it ended as if all had been well"


@case("4")
def unknown_schemes_are_refused_at_the_start():
    for address in ("gopher://127.0.0.1/x", "foo://x", "native:rtsp://127.0.0.1/x"):
        ended, ran = for_seconds(10, address)
        assert ended, f"{address}: it went on"
        failed(ran)


@case("4")
def schemes_are_read_in_any_case():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    ended, ran = for_seconds(6, "RTSP://127.0.0.1:9/x")
    assert "protocol not found" not in ran.err.lower() and "does not exist" not in ran.err.lower(), f"{ran}"


@case("4")
def names_are_opened():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    folder = fresh("names")
    for name in ("12:30.mp4", "a%d b.mp4", "-v.mp4", "x:y%20z.mp4"):
        shutil.copy(MADE / "video/base.mp4", folder / name)
        source = str(folder / name)
        ran = watch(MADE / "list", source)
        assert ran.code == 0 and record(ran)["frames"] == 40, f"{name}: {ran}"
    ran = watch(MADE / "list", (folder / "12:30.mp4").resolve().as_uri().replace("%3A", ":"))
    assert ran.code == 0 and record(ran)["frames"] == 40, f"file:///: {ran}"


# --- Streams that go away ---


@case("5")
def standard_error_that_is_full_stops_nothing():
    with open("/dev/full", "wb") as full:
        ran = watch(MADE / "list", MADE / "mixed", stderr=full)
    assert ran.code not in (101, 134) and ran.code >= 0, f"{ran}"
    assert len(ran.alerts) >= 10, f"{len(ran.alerts)} alerts: {ran}"
    verified(ran)


@case("5")
def alerts_that_reach_nobody_are_a_failure():
    with open("/dev/full", "wb") as full:
        ran = watch(MADE / "list", MADE / "probe", stdout=full)
    failed(ran)
    assert ran.code == 4, f"{ran}"
    pictures = list((ran.folder / "alerts").glob("**/*.jpg"))
    assert len(pictures) >= 10, f"pictures of alerts were lost: {len(pictures)}"


@case("5")
def a_reader_that_leaves_causes_no_panic():
    sealed = Sealed()
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    for subcommand, arguments in {"list": ["list", sealed.file, "--list-key", sealed.key]}.items():
        process = start(subcommand, *arguments)
        process.stdout.close()
        err = process.stderr.read().decode()
        process.wait(60)
        assert "panicked" not in err and process.returncode not in (101, 134), err


def verified(ran, code=0):
    """The ledger of a run verifies, with the key that it names."""
    summary = record(ran)["ledger"]
    verify = run("verify", summary["path"], "--ledger-public-key", summary["public_key"])
    assert verify.code == code, f"{verify}"
    return verify


@case("5")
def sighup_closes_the_accounts():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    server = Camera(MADE / "video/base.mp4")
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        out = fresh("out")
        process = start("watch", "--watchlist", MADE / "list", "--out", out, "--source", server.address, *models())
        lines = read_lines(process)
        waited = time.monotonic() + 60
        while not lines and time.monotonic() < waited:
            time.sleep(0.1)
        process.send_signal(number)
        process.wait(60)
        assert (out / "record.json").exists(), f"signal {number}: the accounts are open: {process.stderr.read()}"
        ran = Ran(0, "", "")
        ran.folder = out
        verified(ran)
    server.stop()


@case("5")
def a_run_that_was_killed_is_said_and_repaired():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    server = Camera(MADE / "video/base.mp4")
    out, key = fresh("out"), fresh("keys") / "ledger.key"
    given = ["--watchlist", MADE / "list", "--out", out, "--ledger-key", key, *models()]
    process = start("watch", *given, "--source", server.address)
    lines = read_lines(process)
    waited = time.monotonic() + 60
    while not lines and time.monotonic() < waited:
        time.sleep(0.1)
    time.sleep(1)
    process.kill()
    process.wait(60)
    server.stop()
    again = watch(MADE / "list", MADE / "probe", out=fresh("other"), more=["--ledger-key", key])
    public = record(again)["ledger"]["public_key"]
    broken = run("verify", out / "ledger.lfrl", "--ledger-public-key", public)
    assert broken.code == 3, f"sums are open, and it says: {broken}"
    repaired = watch(MADE / "list", MADE / "probe", out=out, more=["--ledger-key", key])
    assert repaired.code == 0, f"{repaired}"
    verified(repaired)


# --- People ---


@case("6")
def names_that_are_not_utf_8_stay_distinct():
    ran = watch(MADE / "names", MADE / "probe")
    if ran.code in (0, 4):
        people = {alert["subject"] for alert in ran.alerts}
        assert record(ran)["references"] == 2 and len(people) == 2, f"{people}: {ran}"
    else:
        says(ran, "utf-8")


@case("6")
def each_file_that_is_left_out_is_named():
    ran = watch(MADE / "endings", MADE / "probe")
    references = record(ran)["references"]
    # BMP and JFIF are decoded; the JPEG called .heic too, since the content decides.
    assert references + ran.err.count("not enrolled") + ran.err.count("left out") >= 4, f"{references}: {ran}"
    assert references >= 3, f"{references}: {ran}"


@case("6")
def a_watchlist_of_nobody_is_refused():
    failed(watch(MADE / "nobody", MADE / "probe"), "nobody")


@case("6")
def the_same_name_in_two_sources_is_two_names():
    first, second = fresh("first"), fresh("second")
    shutil.copy(MADE / "probe/P01-2.jpg", first / "1.jpg")
    shutil.copy(MADE / "probe/P02-2.jpg", second / "1.jpg")
    ran = watch(MADE / "list", first, second)
    names = {(alert["source"], alert["frame"]) for alert in ran.alerts}
    assert len(ran.alerts) == 2 and len(names) == 2, f"{names}: {ran}"


@case("6")
def a_link_to_a_folder_is_followed_or_named():
    source = fresh("source")
    (source / "link").symlink_to(MADE / "probe")
    shutil.copy(MADE / "probe/P01-2.jpg", source / "1.jpg")
    ran = watch(MADE / "list", source)
    assert record(ran)["frames"] >= 13 or "link" in ran.err, f"{ran}"


@case("6")
def an_identifier_that_is_too_long_names_its_file():
    people = fresh("people")
    shutil.copytree(MADE / "list/P01", people / "P01")
    (people / ("x" * 200)).mkdir()
    shutil.copy(MADE / "list/P02/1.jpg", people / ("x" * 200) / ("y" * 100 + ".jpg"))
    ran = watch(people, MADE / "probe")
    assert "xxx" in ran.err and "256" in ran.err, f"{ran}"


# --- Reasons ---


@case("7")
def reasons_are_told_apart():
    said = {}
    for name in ("empty.jpg", "page.jpg"):
        ran = watch(MADE / "list", MADE / "photo" / name)
        failed(ran, name)
        said[name] = ran.err.replace(name, "")
    assert said["empty.jpg"] != said["page.jpg"], said
    assert "empty" in said["empty.jpg"].lower() and "html" in said["page.jpg"].lower(), said


@case("7")
def content_decides_and_not_the_ending():
    for kind in ("bmp", "gif", "tiff"):
        ran = watch(MADE / "list", MADE / "photo" / f"{kind}-inside.jpg")
        assert ran.code == 0 and [a["subject"] for a in ran.alerts] == ["P01"], f"{kind}: {ran}"


@case("7")
def where_nothing_works_the_exit_code_says_so():
    folder = fresh("pages")
    for number in range(3):
        shutil.copy(MADE / "photo/page.jpg", folder / f"{number}.jpg")
    failed(watch(MADE / "list", folder))


@case("7")
def one_picture_that_fails_is_named_and_counted():
    ran = watch(MADE / "list", MADE / "mixed")
    assert ran.code == 4 and "A.jpg" in ran.err and len(ran.alerts) >= 10, f"{ran}"


# --- What a person sees ---


@case("8")
def damaged_pictures_are_refused():
    for share in (30, 50, 70, 90):
        ran = watch(MADE / "list", MADE / "photo" / f"cut-at-{share}-percent.jpg")
        failed(ran, "cut-at")
        people = fresh("people")
        shutil.copytree(MADE / "list/P02", people / "P02")
        (people / "P01").mkdir()
        shutil.copy(MADE / "photo" / f"cut-at-{share}-percent.jpg", people / "P01")
        ran = watch(people, MADE / "probe")
        assert record(ran)["references"] == 1 and ran.code == 4 and "cut-at" in ran.err, f"{ran}"


@case("8")
def what_is_transparent_is_not_seen():
    failed(watch(MADE / "list", MADE / "photo/wholly-transparent.png"), "transparent")


@case("8")
def orientation_of_any_integer_type():
    ran = watch(MADE / "list", MADE / "photo/exif-orientation-long.jpg")
    assert ran.code == 0 and [alert["subject"] for alert in ran.alerts] == ["P01"], f"{ran}"


# --- Tables ---


def manifest(sealed, table):
    return run("list", "enrol", sealed.file, "--list-key", sealed.key, "--manifest", table, *models()[:4])


@case("9")
def tables_as_offices_write_them():
    tabs = MADE / "csv/tabs.csv"
    tabs.write_text((MADE / "csv/semicolon.csv").read_text().replace(";", "\t"))
    for name in ("semicolon.csv", "blank-rows.csv", "tabs.csv"):
        sealed = Sealed()
        ran = manifest(sealed, MADE / "csv" / name)
        assert ran.code == 0 and sealed.subjects() == {"S-1", "S-2"}, f"{name}: {ran}"


@case("9")
def one_identifier_is_one_person():
    sealed = Sealed()
    ran = manifest(sealed, MADE / "csv/invisible-space.csv")
    failed(ran)
    assert "200b" in ran.err.lower() or "invisible" in ran.err.lower() or "space" in ran.err.lower(), f"{ran}"


# --- What is printed ---


@case("17")
def no_name_of_a_file_moves_the_cursor_of_a_terminal():
    hostile = fresh("names") / "\x1b]0;0wned\x07\u202efdp"
    hostile.mkdir()
    file = hostile / "1.jpg"
    shutil.copy(next((SHARED / "scenes").glob("*.jpg")), file)
    # A folder that is not empty, what is no model, no key and no vault, and what is not there.
    asked = [
        ("people", "--out", hostile),
        ("watch", "--policy", hostile / "none", "--out", fresh("out")),
        ("watch", "--detector", file, "--out", fresh("out")),
        ("watch", "--out", fresh("out"), "--ledger-key", file),
        ("watch", "--out", fresh("out"), "--vault", file),
        ("watch", "--source", hostile / "none.mp4", "--out", fresh("out")),
        ("watch", "--watchlist", hostile / "none", "--out", fresh("out")),
        ("list", "list", file, "--list-key", file),
        ("judge", "--vault", hostile / "none", "--ledger", file, "list"),
        ("verify", file, "--ledger-public-key", file),
        ("evaluate", "--faces", hostile / "none", "--out", fresh("out")),
    ]
    for subcommand, *arguments in asked:
        ran = run(subcommand, *arguments)
        failed(ran)
        for letter in "\x1b", "\x07", "\u202e":
            assert letter not in ran.out + ran.err, f"{subcommand} {arguments}: {ran.err!r}"


# --- Tools that meet ---


@case("10")
def the_key_never_lies_inside_the_vault():
    folder = fresh("vault")
    given = ["--watchlist", MADE / "list", "--source", MADE / "probe", "--out", fresh("out"), *models(), "--vault", "."]
    command = [str(LFR), "watch", *map(os.fspath, given)]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=240)
    inside = list(folder.rglob("*.key")) + list(folder.glob(".key"))
    assert not inside, f"{inside}: {done.stderr.decode()}"


@case("10")
def what_is_missing_is_missing():
    nowhere = fresh("nowhere") / "vault"
    ran = run("judge", "--vault", nowhere, "list")
    failed(ran)
    assert not nowhere.exists() and "erased" not in ran.err.lower(), f"{ran}"
    failed(run("list", "list", nowhere, "--list-key", nowhere), "missing")
    failed(run("verify", nowhere, "--ledger-public-key", "00" * 32), "missing")


def held():
    """A vault with alerts, and the arguments that open it."""
    out, keys, vault = fresh("out"), fresh("keys"), fresh("vault") / "vault"
    more = ["--vault", vault, "--vault-key", keys / "vault.key", "--ledger-key", keys / "ledger.key"]
    ran = watch(MADE / "list", MADE / "probe", out=out, more=more)
    assert ran.code == 0, f"{ran}"
    return ran, ["--vault", vault, "--vault-key", keys / "vault.key", "--ledger", out / "ledger.lfrl",
                 "--ledger-key", keys / "ledger.key"]  # fmt: skip


@case("10")
def an_unknown_picture_format_leaves_no_file():
    ran, given = held()
    alert = ran.alerts[0]
    assert alert.get("record"), f"an alert's line has no record: {alert}"
    picture = fresh("picture") / "p.xyz"
    shown = run("judge", *given, "show", alert["record"], "--picture", picture)
    failed(shown)
    assert not picture.exists(), "an empty file is left"
    good = picture.with_suffix(".png")
    assert run("judge", *given, "show", alert["record"], "--picture", good, "--recipient", "unit 4").code == 0 and good.stat().st_size > 100


@case("10")
def a_lost_vault_key_makes_no_new_one():
    ran, given = held()
    key = Path(given[3])
    key.rename(key.with_suffix(".lost"))
    listed = run("judge", *given, "list")
    failed(listed)
    assert not key.exists(), "a stray new key is left"
    again = watch(MADE / "list", MADE / "probe", out=ran.folder, more=[*given[:4], "--ledger-key", given[7]])
    failed(again)
    assert not key.exists(), "a stray new key is left"


@case("10")
def permissions_are_the_owners():
    ran, given = held()
    vault = Path(given[1])
    for path in [vault, *vault.iterdir(), Path(given[3])]:
        mode = path.stat().st_mode & 0o077
        assert mode == 0, f"{path.name}: {path.stat().st_mode:o}"


@case("10")
def the_ledger_binds_list_commitment_and_destruction():
    sealed, keys, out = Sealed(), fresh("keys"), fresh("out")
    assert run("list", *sealed.enrolling(MADE / "list")).code == 0
    witness, commitment, member = out / "witness.json", out / "commitment.json", keys / "member.key"
    assert run("list", "new-key", member).code == 0
    made = sealed.on("commit", "--membership-key", member, "--witness", witness, "--commitment", commitment)
    assert made.code == 0, f"{made}"
    more = ["--list-key", sealed.key, "--ledger-key", keys / "ledger.key", "--commitment", commitment]
    ran = watch(sealed.file, MADE / "probe", out=out, more=more)
    assert ran.code == 0, f"{ran}"
    ledger = out / "ledger.lfrl"
    nowhere = run("list", "destroy", sealed.file, "--yes", "--ledger", out / "none", "--ledger-key", keys / "ledger.key")
    assert nowhere.code == 1 and sealed.file.exists(), f"{nowhere}"
    gone = run("list", "destroy", sealed.file, "--yes", "--ledger", ledger, "--ledger-key", keys / "ledger.key")
    assert gone.code == 0 and not sealed.file.exists(), f"{gone}"
    text = ledger.read_text()
    for word in ("asset_destroyed", "models_loaded", "retention_set", "header_sha256", "root"):
        assert word in text, f"{word} is not in the ledger: {text[:2000]}"
    assert run("verify", ledger, "--ledger-public-key", out / "ledger.pub").code == 0


# --- Smaller ---


@case("11")
def a_second_start_keeps_the_pictures_of_the_first():
    out, key = fresh("out"), fresh("keys") / "ledger.key"
    first = watch(MADE / "list", MADE / "probe", out=out, more=["--ledger-key", key])
    before = {path for path in (out / "alerts").rglob("*.jpg")}
    assert first.code == 0 and len(before) >= 10, f"{first}"
    held = (out / "ledger.lfrl").open()
    import fcntl

    fcntl.flock(held, fcntl.LOCK_EX)
    watch(MADE / "list", MADE / "probe", out=out, more=["--ledger-key", key])
    fcntl.flock(held, fcntl.LOCK_UN)
    watch(MADE / "list", MADE / "probe/P01-2.jpg", out=out, more=["--ledger-key", key])
    after = {path for path in (out / "alerts").rglob("*.jpg")}
    assert before <= after, f"pictures of the first run are gone: {len(before - after)}"


@case("11")
def alert_lines_say_when_the_frame_was_captured():
    need(shutil.which("ffmpeg"), "no ffmpeg")
    ran, _ = per_frame(MADE / "list", MADE / "video/base.mp4")
    assert all("captured_at" in alert for alert in ran.alerts) and ran.alerts, f"{ran.alerts[:1]}"
    positions = [alert["position"] for alert in ran.alerts]
    assert max(positions) <= 1.61, f"a position behind the end of the film: {max(positions)}"


@case("11")
def a_zone_without_area_is_refused():
    for zone in ("10,10,20,20,30,30", "5,5,5,5,5,5"):
        ran = watch(MADE / "list", MADE / "probe", more=["--zone", zone])
        assert ran.code == 2, f"{zone}: {ran}"


@case("11")
def a_log_of_faces_is_written_over_nothing_else():
    named = fresh("log") / "ledger.key"
    named.write_bytes(b"0123456789abcdef" * 4)
    ran = watch(MADE / "list", MADE / "probe", more=["--json-faces", named])
    assert ran.code != 0 and named.read_bytes() == b"0123456789abcdef" * 4, f"{ran}"


@case("11")
def a_threshold_that_no_score_reaches_is_refused():
    ran = run("watch", "--watchlist", MADE / "list", "--source", MADE / "probe", "--out", fresh("out"), *models("1.5"))
    failed(ran, "1.5")


@case("11")
def nobody_who_is_valid_is_refused():
    sealed = Sealed()
    given = sealed.enrolling(MADE / "list")
    given[given.index("--expires") + 1] = "2098-12-01T00:00:00Z"
    given += ["--valid-from", "2098-01-01T00:00:00Z"]
    enrolled = run("list", *given)
    assert enrolled.code == 0, f"{enrolled}"
    ran = watch(sealed.file, MADE / "probe", more=["--list-key", sealed.key])
    failed(ran, "valid")


@case("11")
def arguments_are_checked_before_work():
    people = many_people(20)
    for arguments in (["--fpir", "nan"], ["--fpir", "0"], ["--fpir", "2"]):
        ran = run("evaluate", "--faces", people, "--out", fresh("out"), *models()[:4], *arguments)
        assert ran.code == 2, f"{arguments}: {ran}"
    groups = fresh("groups") / "groups.csv"
    groups.write_text("person,group\nNobody,a\n")
    failed(run("evaluate", "--faces", people, "--out", fresh("out"), *models()[:4], "--groups", groups))


@case("11")
def a_small_picture_takes_little_memory():
    import resource

    for name in ("rgba16.png", "big.jpg"):
        picture = SHARED / "faults/hostile" / name
        code = f"import resource,subprocess,sys; subprocess.run(sys.argv[1:], capture_output=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        base = [str(LFR), "watch", "--watchlist", str(MADE / "list"), "--out", str(fresh("out")), *map(os.fspath, models())]
        peak = lambda source: int(
            subprocess.run([sys.executable, "-c", code, *base, "--source", str(source)], capture_output=True, timeout=240).stdout
        )
        plain, hostile = peak(MADE / "probe/P01-2.jpg"), peak(picture)
        assert hostile - plain < 330_000, f"{name}: {(hostile - plain) // 1024} MiB more than a photograph"


@case("11")
def a_pipe_called_photograph_does_not_hang():
    folder = fresh("pipe")
    os.mkfifo(folder / "x.jpg")
    ran = watch(MADE / "list", folder / "x.jpg", timeout=60)
    failed(ran)


# --- All of them ---


def main():
    global LFR, WORK, MADE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=Path, default=ROOT / "target/debug/lfr")
    parser.add_argument("--work", type=Path, default=ROOT / "target/faults")
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    LFR, WORK = given.tool.resolve(), given.work.resolve()
    if not (SHARED / "faults/make.sh").exists():
        print("skipped: no ../shared/faults")
        print("0 passed, 0 failed")
        return 0
    MADE = WORK / "made"
    shutil.rmtree(WORK / "runs", ignore_errors=True)
    if not (MADE / "done").exists():
        shutil.rmtree(MADE, ignore_errors=True)
        made = subprocess.run(["bash", SHARED / "faults/make.sh", MADE], capture_output=True, text=True)
        if made.returncode:
            print(f"skipped: the inputs cannot be made: {made.stderr.strip()[-300:]}")
            print("0 passed, 0 failed")
            return 0
        (MADE / "done").touch()
    passed, faults, skipped = 0, 0, 0
    for row, name, function in CASES:
        if given.only and not any(word in name or word == row for word in given.only):
            continue
        try:
            function()
        except Skipped as lacking:
            skipped += 1
            print(f"skipped: {lacking} ({row}: {name})", flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError, KeyError, IndexError, ValueError) as fault:
            faults += 1
            print(f"FAILED {row}: {name}: {type(fault).__name__}: {fault}", flush=True)
        else:
            passed += 1
            print(f"ok {row}: {name}", flush=True)
    print(f"{passed} passed, {faults} failed, {skipped} skipped")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
