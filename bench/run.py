#!/usr/bin/env python3
"""Runs the benchmark programs natively, in Wasmkeep and in other engines, and compares their times.

    bench/run.py [--vs NAME=COMMAND]... [--wasmkeep PATH] [--rounds N] [--only REGEX] [--class C] [--out DIR] [--json]
                 [--compiled [BOUNDS]] [--vs-compiled NAME=COMPILE::RUN]... [--no-interpreter] [--take T]

README.md beside this file says what is measured and what the figures can and cannot tell.
"""

import argparse
import csv
import datetime
import json
import math
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # no __pycache__ in the source tree
import chart  # noqa: E402

BENCH = pathlib.Path(__file__).resolve().parent
REPOSITORY = BENCH.parent
NATIVE, OURS = "native", "wasmkeep"
BOUNDS = ("guard", "check")  # our compiled code: by guard pages, by comparisons

# speedtest1 prints how long each of its steps took; that differs from run to run and is not the program's result.
CLOCK_READING = re.compile(rb"\d+\.\d{3}s\b")


class Program:
    """A line of programs.txt."""

    def __init__(self, name, program_class, source, arguments):
        self.name = name
        self.program_class = program_class
        self.source = source
        self.arguments = []
        self.input = os.devnull
        for word in shlex.split(arguments) if arguments != "-" else []:
            if word.startswith("<"):
                self.input = str(BENCH / word[1:])
            else:
                self.arguments.append(word)

    def is_kernel(self):
        return self.source.startswith("kernels/")

    def binary(self):
        return pathlib.PurePath(self.source).stem


class Engine:
    """A way to run a program: natively (no command) or by a command that is given the module's path and arguments.

    With `compile`, a command with the words {module} and {image}, it is given the image's path instead.
    """

    def __init__(self, name, command, compile=None):
        self.name = name
        self.command = command
        self.compile = compile

    def image(self, program, build):
        return build / "images" / f"{program.binary()}.{self.name}"

    def prepare(self, program, build):
        """Compiles the program; not timed."""
        if self.compile is None:
            return
        image = self.image(program, build)
        image.parent.mkdir(exist_ok=True)
        image.unlink(missing_ok=True)
        words = {"{module}": str(build / "wasm" / (program.binary() + ".wasm")), "{image}": str(image)}
        run = subprocess.run([words.get(word, word) for word in self.compile], capture_output=True)
        if run.returncode:
            print(f"{self.name} does not compile {program.name}: {first_line(run.stderr or run.stdout)}", file=sys.stderr)

    def command_for(self, program, build):
        if self.name == NATIVE:
            return [str(build / "native" / program.binary()), *program.arguments]
        if self.compile is not None:
            return [*self.command, str(self.image(program, build)), *program.arguments]
        return [*self.command, str(build / "wasm" / (program.binary() + ".wasm")), *program.arguments]


class Runs:
    """What one engine did with one program, over all rounds."""

    take = staticmethod(statistics.median)  # of the times, what counts: --take

    def __init__(self):
        self.wall = []
        self.user = []
        self.cpu = []
        self.failure = None  # None, or a short reason
        self.detail = ""

    def times(self, measure):
        return {"wall": self.wall, "user": self.user, "cpu": self.cpu}[measure]

    def time(self, measure):
        return None if self.failure or not self.wall else Runs.take(self.times(measure))

    def spread(self, measure):
        """Slowest minus fastest, in parts of the median."""
        median = self.time(measure)
        return (max(self.times(measure)) - min(self.times(measure))) / median if median else None


def read_programs(path):
    programs = []
    for line in path.read_text().splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            programs.append(Program(*line.split(None, 3)))
    return programs


def run_once(command, input_path, limit):
    """Runs a command; returns (exit status, output, error output, wall seconds, CPU seconds)."""
    with open(input_path, "rb") as standard_input:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=standard_input, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # The outputs are small: less than a pipe holds. So error output can be read after the process has ended.
        killer = threading.Timer(limit, process.kill)
        killer.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
    return process.returncode, output, errors, wall, (usage.ru_utime, usage.ru_utime + usage.ru_stime)


def measure_program(program, engines, build, rounds, limit):
    """Runs a program in every engine, in turns; returns {engine name: Runs}."""
    runs = {engine.name: Runs() for engine in engines}
    expected = None
    for number in range(rounds):
        # Native first, it says what the output has to be; the others begin with another one each round.
        shift = number % max(1, len(engines) - 1)
        others = engines[1:]
        for engine in [engines[0], *others[shift:], *others[:shift]]:
            mine = runs[engine.name]
            if mine.failure:
                continue
            status, output, errors, wall, cpu = run_once(engine.command_for(program, build), program.input, limit)
            output = CLOCK_READING.sub(b"-", output)
            if engine.name == NATIVE and expected is None:
                expected = output
            if status != 0:
                mine.failure = "timeout" if status == -9 and wall >= limit else "fails"
                mine.detail = f"status {status}: " + first_line(errors or output)
            elif output != expected:
                mine.failure = "wrong"
                mine.detail = "printed " + first_line(output)
            mine.wall.append(wall)
            mine.user.append(cpu[0])
            mine.cpu.append(cpu[1])
    return runs


def first_line(text):
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[0][:100] if lines else "(nothing)"


def geometric_mean(values):
    values = [value for value in values if value]
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None


def summarise(programs, engines, results, measure):
    """One row a program and one a class: name, class, native seconds, {engine: multiple of native}, peer / wasmkeep."""
    peers = [engine.name for engine in engines if engine.name not in (NATIVE, OURS, *BOUNDS)]
    rows = []
    for program in programs:
        runs = results[program.name]
        native = runs[NATIVE].time(measure)
        multiples = {}
        for engine in engines[1:]:
            median = runs[engine.name].time(measure)
            multiples[engine.name] = median / native if median and native else None
        best = min((multiples[name] for name in peers if multiples[name]), default=None)
        ours = multiples.get(OURS)
        rows.append({
            "name": program.name, "class": program.program_class, "mean": False, "native": native,
            "multiples": multiples, "advantage": best / ours if best and ours else None,
            "spread": max((runs[engine.name].spread(measure) or 0.0) for engine in engines),
            "failures": {name: run.failure for name, run in runs.items() if run.failure},
        })
    means = []
    classes = list(dict.fromkeys(row["class"] for row in rows))
    for program_class in classes + (["all"] if len(classes) > 1 else []):
        members = [row for row in rows if program_class in (row["class"], "all")]
        # Only programs that every engine got through count, or the means would be of different things.
        complete = [row for row in members if not row["failures"]]
        means.append({
            "name": f"mean of {len(complete)}", "class": program_class, "mean": True, "native": None,
            "multiples": {e.name: geometric_mean([row["multiples"][e.name] for row in complete]) for e in engines[1:]},
            "advantage": geometric_mean([row["advantage"] for row in complete]),
            "spread": None, "failures": {},
        })
    return rows, means


def text_table(rows, means, engines):
    names = [engine.name for engine in engines[1:]]
    with_advantage = OURS in names and len(names) > 1
    heads = ["program", "class", "native s", *names] + (["peer/ours"] if with_advantage else []) + ["spread"]

    def cells(row):
        line = [row["name"], row["class"], f"{row['native']:.3f}" if row["native"] else ""]
        for name in names:
            value = row["multiples"][name]
            line.append(f"{value:.2f}" if value else row["failures"].get(name, "-"))
        if with_advantage:
            line.append(f"{row['advantage']:.2f}" if row["advantage"] else "-")
        line.append(f"{row['spread'] * 100:.0f} %" if row["spread"] is not None else "")
        return line

    lines = [heads, *[cells(row) for row in rows], None, *[cells(row) for row in means]]
    widths = [max(len(line[i]) for line in lines if line) for i in range(len(heads))]
    text = []
    for line in lines:
        if line is None:
            text.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
        else:
            padded = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
            text.append("  ".join(padded).rstrip())
    return "\n".join(text)


def write_csv(path, rows, means, engines, results, measure):
    names = [engine.name for engine in engines]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["program", "class",
                         *[f"{name} seconds" for name in names], *[f"{name} spread" for name in names],
                         *[f"{name} / native" for name in names[1:]], "fastest peer / wasmkeep"])

        def figure(value, digits):
            return f"{value:.{digits}f}" if value is not None else ""

        for row in rows + means:
            runs = results.get(row["name"]) if not row["mean"] else None
            writer.writerow([
                row["name"], row["class"],
                *[figure(runs[name].time(measure), 5) if runs else "" for name in names],
                *[figure(runs[name].spread(measure), 4) if runs else "" for name in names],
                *[row["failures"].get(name) or figure(row["multiples"][name], 4) for name in names[1:]],
                figure(row["advantage"], 4)])


def describe(engines, build, arguments):
    """Where and how this was measured; no paths, so that the result can be shown to others."""
    processor = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    compiler = subprocess.run([os.environ.get("CLANG", "clang-19"), "--version"], capture_output=True, text=True)
    return {
        "date": datetime.date.today().isoformat(), "processor": processor, "machine": platform.machine(),
        "system": platform.system() + " " + platform.release(), "compiler": compiler.stdout.splitlines()[0],
        "rounds": arguments.rounds, "measure": arguments.measure, "take": arguments.take, "small": arguments.small,
        "engines": {engine.name: " ".join(map(os.path.basename, engine.command)) for engine in engines},
    }


def write_json(path, about, rows, means, results):
    programs = {}
    for row in rows:
        programs[row["name"]] = {
            "class": row["class"], "multiples": row["multiples"], "fastest peer / wasmkeep": row["advantage"],
            "engines": {name: {"wall": [round(t, 6) for t in run.wall], "user": [round(t, 6) for t in run.user], "cpu": [round(t, 6) for t in run.cpu],
                               "failure": run.failure, "detail": run.detail}
                        for name, run in results[row["name"]].items()},
        }
    summary = {mean["class"]: {"programs": mean["name"], "multiples": mean["multiples"],
                               "fastest peer / wasmkeep": mean["advantage"]} for mean in means}
    path.write_text(json.dumps({"about": about, "programs": programs, "means": summary}, indent=1) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vs", action="append", default=[], metavar="NAME=COMMAND",
                        help="another engine; the module and its arguments are appended to COMMAND")
    parser.add_argument("--wasmkeep", default=str(REPOSITORY / "build/release/wasmkeep"), metavar="PATH",
                        help="the tool to measure (default build/release/wasmkeep)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="runs of each program (default 5)")
    parser.add_argument("--only", metavar="REGEX", help="only programs whose name matches")
    parser.add_argument("--class", dest="program_class", metavar="C", help="only this class: numeric, integer or real")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where results.csv and results.svg go (default build/bench/results)")
    parser.add_argument("--json", action="store_true", help="write results.json, with every single time, too")
    parser.add_argument("--measure", choices=("wall", "cpu", "user"), default="wall",
                        help="compare elapsed time (default) or processor time, which other load disturbs less, or of "
                        "that only what was not spent in the kernel")
    parser.add_argument("--take", choices=("median", "best"), default="median",
                        help="which of the rounds' times counts; the best is disturbed least by other load")
    parser.add_argument("--small", action="store_true", help="run the kernels with the smallest size, for a quick look")
    parser.add_argument("--core", type=int, metavar="N", help="the processor core to pin to (default: the last one)")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="S", help="limit of one run (default 120 s)")
    parser.add_argument("--compiled", choices=(*BOUNDS, "both"), nargs="?", const="both", metavar="BOUNDS",
                        help="our compiled code as other engines: guard, check, or both (default); compiled before at -O2")
    parser.add_argument("--vs-compiled", action="append", default=[], metavar="NAME=COMPILE::RUN",
                        help="another engine's compiled code: COMPILE is a command with the words {module} and {image}, "
                        "the image's path and the arguments are appended to RUN")
    parser.add_argument("--no-interpreter", action="store_true", help="leave our interpreter out")
    parser.add_argument("--self-test", action="store_true", help="leave Wasmkeep out: native and the --vs engines only")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    build = pathlib.Path(os.environ.get("BENCH_BUILD", REPOSITORY / "build/bench")).resolve()
    out = arguments.out or build / "results"

    engines = [Engine(NATIVE, [])]
    if not arguments.self_test:
        if not os.access(arguments.wasmkeep, os.X_OK):
            sys.exit(f"run.py: {arguments.wasmkeep} is not there; build it, or name it with --wasmkeep")
        if not arguments.no_interpreter:
            engines.append(Engine(OURS, [arguments.wasmkeep, "run", "--engine", "interp"]))
        for bounds in BOUNDS if arguments.compiled else ():
            if arguments.compiled in (bounds, "both"):
                engines.append(Engine(bounds, [arguments.wasmkeep, "run"], [
                    arguments.wasmkeep, "compile", "-O2", "--bounds", bounds, "-o", "{image}", "{module}"]))
    for peer in arguments.vs + arguments.vs_compiled:
        name, separator, command = peer.partition("=")
        compile, compiled, run = command.rpartition("::")
        if not separator or not name or name in [engine.name for engine in engines]:
            sys.exit(f"run.py: {peer}: expected NAME=COMMAND, each NAME once")
        engines.append(Engine(name, shlex.split(run), shlex.split(compile) if compiled else None))

    programs = [program for program in read_programs(BENCH / "programs.txt")
                if (not arguments.only or re.search(arguments.only, program.name))
                and (not arguments.program_class or program.program_class == arguments.program_class)]
    if not programs or arguments.rounds < 1:
        sys.exit("run.py: nothing to run")
    if arguments.small:
        for program in programs:
            if program.is_kernel():
                program.arguments = ["1"]
    sources = list(dict.fromkeys(program.source for program in programs))
    subprocess.run([str(BENCH / "programs.sh"), *sources], check=True, env={**os.environ, "BENCH_BUILD": str(build)})

    # What taskset would do, but children inherit it and no further process start is timed.
    os.sched_setaffinity(0, {arguments.core if arguments.core is not None else max(os.sched_getaffinity(0))})

    Runs.take = staticmethod(min if arguments.take == "best" else statistics.median)
    results = {}
    for program in programs:
        for engine in engines:
            engine.prepare(program, build)
        print(f"{program.name} ...", end=" ", file=sys.stderr, flush=True)
        runs = results[program.name] = measure_program(program, engines, build, arguments.rounds, arguments.timeout)
        times = [f"{name} {run.failure or format(run.time(arguments.measure), '.3f')}"
                   for name, run in runs.items()]
        print(", ".join(times), file=sys.stderr)

    rows, means = summarise(programs, engines, results, arguments.measure)
    about = describe(engines, build, arguments)
    print(f"\n{about['processor']}, {about['compiler']}, {arguments.rounds} rounds, {about['date']}")
    print(f"Multiples of native {arguments.measure} time, process start included; {arguments.take} of the rounds; "
          "lower is better.")
    if OURS in results[programs[0].name] and arguments.vs:
        print("peer/ours: the fastest other engine's time by Wasmkeep's; above 1, Wasmkeep is faster.")
    print("spread: slowest minus fastest run by the median, of the engine where it is largest.\n")
    print(text_table(rows, means, engines))
    failed = [(program, name, run) for program, runs in results.items() for name, run in runs.items() if run.failure]
    for program, name, run in failed:
        print(f"{program}: {name} {run.failure}: {run.detail}")

    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "results.csv", rows, means, engines, results, arguments.measure)
    (out / "results.svg").write_text(chart.draw(rows, means, [engine.name for engine in engines[1:]], about))
    if arguments.json:
        write_json(out / "results.json", about, rows, means, results)

    # A peer that cannot run a program is worth a line; Wasmkeep, or the native program, is an error.
    return 1 if any(arguments.self_test or name in (NATIVE, OURS) for _, name, _ in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
