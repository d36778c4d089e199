#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the keep in the TEE costs, in instructions.

  python3 bench/board.py [--csv FILE] [--compiled TOOL] [NAME...]

On the emulated board (make board, make ta) under instruction counting: the guest's clock advances one nanosecond for
each instruction and for nothing else, so figures repeat and this machine's load does not matter. Compared are the
kernels of bench/kernels, NAME... or all that fit, run once as WebAssembly in the Trusted Application and once as a
Trusted Application of their own, the same C compiled natively; their outputs must be the same. Both figures are what
the client sees, so they contain the switches of worlds. Before that: what loading, a run and a request take. Opening a
session is not measured: it waits for the normal world to bring the file, and a clock of instructions runs on meanwhile.
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
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    names = options.names or kernels()
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
            print("\nkernel, its work done once                  in the keep        natively    times%s" %
                  ("        compiled    times" if options.compiled else ""))
            for name in names:
                said, inside = keep(name + ".wasm", "1")
                expected, outside = native(name, "1")
                if said != expected:
                    sys.exit("board.py: %s: %r in the keep, %r natively" % (name, said, expected))
                row, line = (name, inside[1], outside), "  %-36s  %15s %15s %8.1f" % (name, thousands(inside[1]),
                    thousands(outside), inside[1] / outside)
                if options.compiled:
                    said, inside = keep(name + ".wasm", "1", engine="native")
                    if said != expected:
                        sys.exit("board.py: %s: %r compiled, %r natively" % (name, said, expected))
                    row += (inside[1],)
                    line += " %15s %8.2f" % (thousands(inside[1]), inside[1] / outside)
                rows.append(row)
                print(line, flush=True)
        finally:
            subprocess.run([sys.executable, tool, "stop"], capture_output=True)
    means = [math.exp(sum(math.log(row[which] / row[2]) for row in rows) / len(rows)) for which in (1, 3)[:len(rows[0]) - 2]]
    print("  %-36s  %40.1f%s" % ("geometric mean", means[0], "".join(" %24.2f" % mean for mean in means[1:])))
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            csv.writer(file).writerows([("kernel", "keep", "native", "compiled")[:len(rows[0])], *rows])


main()
