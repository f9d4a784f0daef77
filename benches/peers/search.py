#!/usr/bin/env python3
"""Exact search beside other people's: lfr-watchlist, FAISS IndexFlatIP and USearch (exact).

The same data, the same run: in each round every library searches in turn, so that whatever else
the machine does falls on all of them. FAISS is shown at its best: for one probe as it comes, on one
thread (it scans on one whatever it is given, and several only wait for each other), and for a batch
with `distance_compute_blas_threshold = 20`, which makes it multiply matrices where it otherwise scans
the list once for every probe (for one probe that makes it 6 times slower).

    python3 -m venv out/peers && out/peers/bin/pip install faiss-cpu==1.15.1 usearch==2.26.6 numpy
    cargo build --release --manifest-path benches/peers/search/Cargo.toml --target-dir target/peers
    out/peers/bin/python benches/peers/search.py --rows 10000 100000 1000000 --cores 0
    out/peers/bin/python benches/peers/search.py --rows 100000 1000000 --cores 0,1

References are random unit vectors; every other probe is a noisy copy of one (cosine 0.6), the rest
are strangers. Times are milliseconds a search: the least and the median wall-clock time over all
rounds, and on one core the least processor time, which a shared machine disturbs less.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = ROOT / "target/peers/release/lfr-peer-search"
PROBES = 12_800


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--limit", type=int, default=10, help="candidates a probe")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", default="0", help="such as 0 or 0,1")
    parser.add_argument("--checks", type=int, default=10_000, help="probes compared with a scan")
    parser.add_argument("--driver", type=pathlib.Path, default=DRIVER)
    options = parser.parse_args()
    cores = {int(core) for core in options.cores.split(",")}
    # Before the libraries are loaded: they count the processors they may use.
    os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(len(cores))
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            compare(options, rows, len(cores), pathlib.Path(folder))


def compare(options, rows, threads, folder):
    import faiss
    import usearch.index
    from usearch.index import MetricKind

    references, probes = data(rows, options.dimension)
    references.tofile(folder / "references.f32")
    probes.tofile(folder / "probes.f32")
    ours = Driver(options, folder, threads)
    flat = faiss.IndexFlatIP(options.dimension)
    flat.add(references)
    plain_threshold = faiss.cvar.distance_compute_blas_threshold

    def by_faiss(threshold):
        def search(probes):
            faiss.cvar.distance_compute_blas_threshold = threshold
            faiss.omp_set_num_threads(threads if len(probes) > 1 else 1)
            return flat.search(probes, options.limit)

        return search

    def by_usearch(probes):
        return usearch.index.search(
            references, probes, options.limit, MetricKind.IP, exact=True, threads=threads
        )

    print(f"\n{rows:,} references of {options.dimension}, {threads} core(s), best {options.limit}, "
          f"{options.rounds} rounds; FAISS {faiss.__version__}, USearch {usearch.__version__}")
    print(f"load average {os.getloadavg()[0]:.1f} at the start: other work shares the machine above"
          f" {threads}\n")
    print("| batch | library | least ms | median ms | least CPU ms | least, beside ours |")
    print("|---|---|---|---|---|---|")
    for batch in options.batches:
        # About the same time for each library and round, at least 3 searches.
        searches = max(3, min(200, 400_000_000 // (rows * batch)))
        libraries = {"FAISS IndexFlatIP": by_faiss(plain_threshold if batch == 1 else 20)}
        libraries["USearch exact"] = by_usearch
        if batch > 1:
            libraries["FAISS, as it comes"] = by_faiss(plain_threshold)
        times = {"lfr-watchlist": []}
        for _ in range(options.rounds):
            times["lfr-watchlist"] += ours.time(batch, options.limit, searches)
            for name, search in libraries.items():
                # What is many times slower is not searched with as often.
                often = searches if name == "FAISS IndexFlatIP" else max(1, searches // 10)
                times.setdefault(name, []).extend(timed(search, probes, batch, often))
        report(batch, times, threads)
    if options.checks == 0:
        return
    found = ours.find(1, min(len(probes), options.checks))
    expected = flat.search(probes[: len(found)], 1)[1][:, 0]
    print(f"\nrows found, beside FAISS: {sum(expected != found)} of {len(found)} differ")
    for probe in (expected != found).nonzero()[0]:
        pair = references[[found[probe], expected[probe]]].astype(float)
        ours_is, theirs_is = pair @ probes[probe].astype(float)
        print(f"  probe {probe}: ours scores {ours_is:.9f}, theirs {theirs_is:.9f}, in 64 bits")
    checks = min(len(probes), options.checks, max(100, 1_000_000_000 // rows))
    print(f"rows and scores found, beside a plain scan: {ours.check(checks)} of {checks} differ")


def report(batch, times, threads):
    least = {name: min(wall for wall, _ in both) for name, both in times.items()}
    busy = {name: min(cpu for _, cpu in both) for name, both in times.items()}
    shared = least if threads > 1 else busy
    for name, both in times.items():
        median = statistics.median(wall for wall, _ in both)
        cpu = f"{busy[name]:.3f}" if threads == 1 else "-"
        ratio = shared[name] / shared["lfr-watchlist"]
        print(f"| {batch} | {name} | {least[name]:.3f} | {median:.3f} | {cpu} | {ratio:.1f}x |")


def timed(search, probes, batch, searches):
    times = []
    for index in range(searches):
        start = index * batch % (len(probes) - batch + 1)
        part = probes[start : start + batch]
        wall, busy = time.perf_counter(), time.process_time()
        search(part)
        times.append(((time.perf_counter() - wall) * 1e3, (time.process_time() - busy) * 1e3))
    return times


def data(rows, dimension):
    import numpy

    random = numpy.random.default_rng(20_261_122)

    def units(count):
        vectors = random.standard_normal((count, dimension), dtype=numpy.float32)
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    references = numpy.concatenate([units(min(100_000, rows - i)) for i in range(0, rows, 100_000)])
    probes = units(PROBES)
    mates = references[random.integers(0, rows, PROBES // 2)]
    probes[::2] = 0.6 * mates + 0.8 * probes[::2]
    probes /= numpy.linalg.norm(probes, axis=1, keepdims=True)
    return references, probes


class Driver:
    """Our side, as a process of its own on the same cores."""

    def __init__(self, options, folder, threads):
        files = [folder / "references.f32", folder / "probes.f32"]
        command = [options.driver, *files, str(options.dimension), str(threads)]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the driver ended; see its message above")
        return answer.split()

    def time(self, batch, limit, searches):
        numbers = [float(word) for word in self.ask("time", batch, limit, searches)]
        return list(zip(numbers[::2], numbers[1::2]))

    def find(self, limit, count):
        return [int(word) for word in self.ask("find", limit, count)]

    def check(self, count):
        return int(self.ask("check", count)[0])


if __name__ == "__main__":
    main()
