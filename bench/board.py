#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the keep in the TEE costs, in instructions.

  python3 bench/board.py [--csv FILE] [--compiled TOOL] [--no-interpreter] [NAME...]

On the emulated board (make board, make ta) under instruction counting: the guest's clock advances one nanosecond for
each instruction and for nothing else, so figures repeat and this machine's load does not matter. Compared are the
kernels of bench/kernels, NAME... or all that fit, as WebAssembly in the Trusted Application and as a Trusted
Application of their own, the same C compiled natively; their outputs must be the same. A kernel's work is half of what
a run takes longer that does it three times than one that does it once: so what a start takes (worlds, memory that is
mapped and cleared, which a native Trusted Application has done when its session is open) does not count. What loading,
a run and a request take is printed before that. Opening a session is not measured: it waits for the normal world to
bring the file, and a clock of instructions runs on meanwhile.
"""
import argparse
import csv
import math
import os
import re
import subprocess
import sys
import tempfile

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
kit = os.path.join(root, "build/board/arm64/usr")
out = os.path.join(root, "build/bench/board")
tool = os.path.join(root, "board/board")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit("board.py: %s\n%s%s" % (" ".join(words), done.stdout, done.stderr))
    return done.stdout, done.stderr


def build():
    os.makedirs(out, exist_ok=True)
    run("make", "-C", os.path.join(root, "bench/board"), "-j2", "O=" + out, "CROSS_COMPILE=aarch64-linux-gnu-",
        "TA_DEV_KIT_DIR=" + os.path.join(kit, "lib/optee-os-dev/vexpress-qemu_armv8a"), "PYTHON3=/usr/bin/python3")
    run("aarch64-linux-gnu-gcc", "-O1", "-Wall", "-I", os.path.join(kit, "include"), "-o", os.path.join(out, "native"),
        os.path.join(root, "bench/board/client.c"), os.path.join(kit, "lib/aarch64-linux-gnu/libteec.so.2"))
    run("sh", os.path.join(root, "bench/programs.sh"), "kernels")
    for name in ("empty", "requests"):
        run("clang-19", "--target=wasm32-wasi", "-O2", "-s", "-nostartfiles", "-Wl,--export=_start", "-o",
            os.path.join(out, name + ".wasm"), os.path.join(root, "bench/board/%s.c" % name))


def board(*words):
    return run(sys.executable, tool, *words)


def native(*words):
    """The output, and the instructions of the last line."""
    lines = board("run", "native", *words)[0].splitlines()
    return "\n".join(lines[:-1]), int(lines[-1].split()[1])


def keep(module, *words, engine="interp"):
    """The output, and instructions: of sending and loading the module, of the run."""
    output, said = board("run", "wasmkeep", "run", "-v", "--tee", "optee", "--engine", engine, "/root/" + module, *words)
    figures = [re.search(text + r" ([0-9.]+) ms", said).group(1) for text in ("validated in", "ran for")]
    return output.rstrip("\n"), [round(float(figure) * 1e6) for figure in figures]


def work(name, way):
    """The output of a kernel that is done once, and the instructions of one time more."""
    runs = [native(name, times) if way == "natively" else keep(name + ".wasm", times, engine=way) for times in ("1", "3")]
    once, thrice = [run[1] if way == "natively" else run[1][1] for run in runs]
    return runs[0][0], (thrice - once) // 2


def compile(wasmkeep, name):
    """The kernel's image for the TEE."""
    image = os.path.join(out, "images", name + ".ta")
    os.makedirs(os.path.dirname(image), exist_ok=True)
    run(wasmkeep, "compile", "--target", "aarch64-optee", "--sign", os.path.join(
        kit, "lib/optee-os-dev/vexpress-qemu_armv8a/keys/default_ta.pem"), "-o", image,
        os.path.join(root, "build/bench/wasm/%s.wasm" % name))
    return image


def kernels():
    with open(os.path.join(root, "bench/board/sub.mk")) as file:
        return file.read().split("kernels := ")[1].split("\n\n")[0].replace("\\", "").split()


def thousands(number):
    return "{:,}".format(number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", help="write the table to this file, too")
    parser.add_argument("--compiled", metavar="TOOL", help="another column: compiled code, by this wasmkeep of this machine")
    parser.add_argument("--no-interpreter", action="store_true", help="without the column of interpreted code, which is slow")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    names = options.names or kernels()
    ways = ["natively", *([] if options.no_interpreter else ["interp"]), *(["native"] if options.compiled else [])]
    rows = []

    build()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BOARD_DIR"] = folder
        board("start", "--icount", "--for", str(os.getpid()))
        try:
            files = [os.path.join(out, "native"), os.path.join(root, "build/optee/wasmkeep")]
            for place in (out, os.path.join(root, "build/ta")):
                files += [os.path.join(place, name) for name in os.listdir(place) if name.endswith(".ta")]
            board("push", *files)
            board("push", os.path.join(out, "empty.wasm"), os.path.join(out, "requests.wasm"),
                  *[os.path.join(root, "build/bench/wasm/%s.wasm" % name) for name in names], "/root/")
            keep("empty.wasm")  # the first session of a machine is dearer
            loaded, ran = keep("empty.wasm")[1]
            many = keep("requests.wasm")[1][1]
            if options.compiled:
                board("push", *[compile(options.compiled, name) for name in names], "/root/")
            print("instructions for                            in the keep        natively")
            print("  loading an empty module               %15s" % thousands(loaded))
            print("  running it: an invocation             %15s %15s" % (thousands(ran),
                  thousands(native("nothing", "100")[1])))
            print("  a request to the normal world         %15s" % thousands((many - ran) // 1000))
            print("\n  %-12s%s" % ("a kernel's work", "".join("%24s" % way for way in ways)))
            for name in names:
                row = [name]
                for way in ways:
                    row.append(work(name, way))
                    if row[-1][0] != row[1][0]:
                        sys.exit("board.py: %s: %r %s, %r natively" % (name, row[-1][0], way, row[1][0]))
                rows.append([name, *[instructions for _, instructions in row[1:]]])
                print("  %-12s%15s" % (name, thousands(rows[-1][1])) + "".join(
                    "%15s %8.2f" % (thousands(one), one / rows[-1][1]) for one in rows[-1][2:]), flush=True)
        finally:
            subprocess.run([sys.executable, tool, "stop"], capture_output=True)
    means = [math.exp(sum(math.log(row[which] / row[1]) for row in rows) / len(rows)) for which in range(2, len(rows[0]))]
    print("  %-12s%15s%s" % ("mean of %d" % len(rows), "", "".join("%24.2f" % mean for mean in means)))
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            csv.writer(file).writerows([("kernel", *ways), *rows])


main()
