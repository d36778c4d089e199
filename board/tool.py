# SPDX-License-Identifier: Apache-2.0
"""board: starts, uses and stops an emulated machine with OP-TEE.

  board start [--variant NAME] [--icount] [--cpus N] [--for PID] [--timeout S]
                               boots the machine, and returns when it answers
  board run [-n] [-t] [-e NAME=VALUE]... [--count] [--timeout S] COMMAND [ARGUMENT...]
                               runs a command in the guest: its input, output, errors and exit status are yours
  board shell                  a shell in the guest
  board push FILE... [FOLDER/] copies files to the guest, by default to where their kind belongs:
                               *.ta to /lib/optee_armtz, *.plugin to tee-supplicant's plugins, programs to /usr/bin
  board console normal|secure [-f]
                               what Linux (normal) or OP-TEE (secure) wrote to its serial port; -f follows
  board status                 whether a machine runs, and how
  board stop                   switches it off

A first session, after `make board`:

  board/board start
  board/board run uname -a
  board/board run xtest 1001             # OP-TEE's own tests; all of them: board/board run xtest
  board/board push my-uuid.ta client     # a Trusted Application and its client program
  board/board run client < input > output
  board/board console secure | tail
  board/board stop

Each machine has a folder, BOARD_DIR (by default build/board/run), for all that belongs to it:

  share/  is /share in the guest         normal.log, secure.log  what the two worlds wrote
  tee/    is /var/lib/tee in the guest:  qemu.log                what the emulator said
          OP-TEE's secure storage, which outlives the machine; remove it to start with an empty one

Several machines run at once in different folders: BOARD_DIR=/tmp/second board/board start. In one machine up to four
commands run at once; more wait for their turn.

start:  --variant 128m  the machine whose secure world has 128 MiB of RAM; `make board VARIANT=128m` makes it
        --icount      the guest's clock counts instructions, 1 ns each, and nothing else: times measured in the guest
                      are repeatable figures that do not depend on how busy this machine is
        --cpus N      processors (1, the fastest to boot)
        --for PID     stops the machine when process PID ends; tests say --for $$
        --timeout S   gives up after S seconds (120)
run:    -n            without input; otherwise up to 256 KiB of it may be read that the command does not want
        -t            on a terminal, for programs that want one
        -e NAME=VALUE sets a variable of the command's environment
        --count       says afterwards how many nanoseconds by the guest's clock it took (with --icount: instructions)
        --timeout S   kills the command after S seconds (600, or BOARD_TIMEOUT)

The exit status of run is the command's; 128 + N if signal N ended it, 124 if its time was over, 126 or 127 if it could
not be started, 125 if the board is at fault: it does not run, or does not answer. docs/board.md says more.
"""
import os
import sys

BOARD = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BOARD_BUILD") or os.path.join(BOARD, "..", "build", "board"))
DIR = os.path.abspath(os.environ.get("BOARD_DIR") or os.path.join(BUILD, "run"))
PORTS = 4

BOARD_FAULT, TIME_OVER = 125, 124


def say(text):
    print("board: " + text, file=sys.stderr, flush=True)


def die(text, status=BOARD_FAULT):
    say(text)
    sys.exit(status)


def in_dir(name):
    return os.path.join(DIR, name)


def locked(name, wait=False):
    """Takes a lock file in DIR; None if somebody else has it. The lock lasts until the file is closed."""
    import fcntl
    file = os.open(in_dir(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return file
    except BlockingIOError:
        os.close(file)
        return None


def running():
    """Does a machine run in DIR? Its keeper holds a lock for as long as it lives."""
    if not os.path.exists(in_dir("keeper.lock")):
        return False
    lock = locked("keeper.lock")
    if lock is None:
        return True
    os.close(lock)
    return False


# ---- a session with the guest's agent: see agent.c for the frames ----


class Gone(Exception):
    """The guest does not answer, or not any more."""


class Session:
    """A port of the guest, ours until close(). Bytes that an earlier process left in it are none of our business: the
    file `port-N` holds a '!' while a session is under way, and whoever finds one clears the port first."""

    def __init__(self, patience, wait):
        """Waits `patience` seconds for a free port and then `wait` seconds for an answer."""
        import _socket
        import time
        if not os.path.isdir(DIR):
            raise Gone("no machine runs in %s" % DIR)
        end = time.monotonic() + patience
        while True:
            for self.number in range(PORTS):
                self.lock = locked("port-%d" % self.number)
                if self.lock is not None:
                    break
            if self.lock is not None:
                break
            if time.monotonic() >= end:
                raise Gone("all ports of the machine in %s were busy for %g seconds" % (DIR, patience))
            time.sleep(0.005)
        unclean = os.pread(self.lock, 1, 0) == b"!"
        os.pwrite(self.lock, b"!", 0)
        self.socket = _socket.socket(_socket.AF_UNIX)
        # The folder's path may be longer than an address of a socket can be.
        folder = os.open(DIR, os.O_PATH)
        try:
            self.socket.connect("/proc/self/fd/%d/agent-%d" % (folder, self.number))
        except OSError:
            raise Gone("no machine runs in %s" % DIR) from None
        finally:
            os.close(folder)
        self.socket.setblocking(False)
        self.received = bytearray()
        self.to_send = bytearray()
        nonce = os.urandom(16)
        if unclean:
            self.to_send += bytes(65536 + 4)
        self.send(b"H", nonce)
        answer = self.frame(b"H", nonce)
        end = time.monotonic() + wait
        while True:
            at = self.received.find(answer)
            if at >= 0:
                del self.received[: at + len(answer)]
                return
            del self.received[: -len(answer)]
            self.exchange(end, "the guest did not answer within %g seconds" % wait)

    @staticmethod
    def frame(kind, payload=b""):
        return kind + len(payload).to_bytes(3, "little") + payload

    def send(self, kind, payload=b""):
        self.to_send += self.frame(kind, payload)

    def ready(self, timeout, others=()):
        """Waits for at most `timeout` seconds (None: as long as it takes), sends and receives meanwhile, and returns
        which of `others` can be read."""
        import select
        reads, writes, _ = select.select([self.socket, *others], [self.socket] if self.to_send else [], [],
                                         timeout if timeout is None else max(timeout, 0))
        try:
            if writes:
                del self.to_send[: self.socket.send(self.to_send)]
            if self.socket in reads:
                data = self.socket.recv(262144)
                if not data:
                    raise Gone("the machine has stopped")
                self.received += data
        except BlockingIOError:
            pass
        except OSError:
            raise Gone("the machine has stopped") from None
        return reads

    def exchange(self, end, excuse):
        """One step of sending and receiving, if the time `end` has not come."""
        import time
        left = end - time.monotonic()
        if left <= 0:
            raise Gone(excuse)
        self.ready(left)

    def frames(self):
        """The whole frames that have come."""
        at = 0
        while len(self.received) - at >= 4:
            length = int.from_bytes(self.received[at + 1 : at + 4], "little")
            if len(self.received) - at < 4 + length:
                break
            yield self.received[at : at + 1], bytes(self.received[at + 4 : at + 4 + length])
            at += 4 + length
        del self.received[:at]

    def close(self):
        """Ends the session such that the port is clean."""
        import time
        end = time.monotonic() + 10
        self.send(b"B")
        while not any(kind == b"B" for kind, _ in self.frames()):
            self.exchange(end, "the guest does not answer any more")
        self.socket.close()
        os.pwrite(self.lock, b" ", 0)
        os.close(self.lock)


def command(arguments, environment=(), timeout=None, stdin=0, stdout=1, stderr=2, terminal=None, wait=5):
    """Runs a command in the guest, which must answer within `wait` seconds: (exit status, nanoseconds of the guest).
    stdin may be None."""
    import time
    session = Session(600 if timeout is None else timeout, wait)
    start = time.monotonic()
    rows, columns = terminal or (0, 0)
    variables = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root"}
    variables.update(variable.split("=", 1) for variable in environment)
    strings = [os.fsencode(s) for s in [*arguments, *("%s=%s" % variable for variable in variables.items())]]
    payload = bytes([terminal is not None]) + b"".join(
        n.to_bytes(2, "little") for n in (rows, columns, len(arguments))
    ) + b"".join(s + b"\0" for s in strings)
    if len(payload) > 65536:
        session.close()
        raise Gone("the command line is too long: %d bytes of at most 65536" % len(payload))
    session.send(b"R", payload)
    if stdin is None:
        session.send(b"E")
    credit, over, killed = 0, False, None
    result = None
    while result is None:
        left = None
        if timeout is not None:
            left = timeout - (time.monotonic() - start)
            if left <= 0 and not over:
                over, killed = True, time.monotonic()
                session.send(b"S", b"\x09")
            if over:
                left = 5 - (time.monotonic() - killed)
                if left <= 0:
                    raise TimeoutError("its time was over, and the guest does not answer any more")
        # No more input is read than can be sent: what the command leaves stays for whoever reads next.
        reads = session.ready(left, [stdin] if stdin is not None and credit > 0 and not session.to_send else [])
        for kind, data in session.frames():
            if kind == b"o" or kind == b"e":
                write_all(stdout if kind == b"o" else stderr, data)
            elif kind == b"C":
                credit += int.from_bytes(data, "little")
            elif kind == b"X":
                result = data
        if stdin in reads:
            data = os.read(stdin, min(credit, 32768))
            if data:
                credit -= len(data)
                session.send(b"I", data)
            else:
                session.send(b"E")
                stdin = None
    session.close()
    how, value, nanoseconds = result[0], result[1], int.from_bytes(result[2:10], "little")
    if over:
        raise TimeoutError("its time was over")
    if how == 2:
        raise Gone("the guest could not start it: " + os.strerror(value))
    return (128 + value if how == 1 else value), nanoseconds


def write_all(file, data):
    while data:
        try:
            data = data[os.write(file, data) :]
        except BlockingIOError:
            import select
            select.select([], [file], [])


# ---- the subcommands ----


def options(arguments, known, rest=False):
    """Splits options off: a dictionary, and what is left. `known`: name to whether it takes a value (a list: often)."""
    found, left = {}, list(arguments)
    while left and left[0].startswith("-"):
        name = left.pop(0)
        if name == "--":
            break
        name, equal, value = name.partition("=")
        if name not in known:
            die("there is no option %s; board --help says which there are" % name, 2)
        if known[name]:
            if not equal:
                if not left:
                    die("%s wants a value" % name, 2)
                value = left.pop(0)
            if known[name] == "list":
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
        else:
            found[name] = True
    if left and not rest:
        die("nothing is known of '%s'; board --help says how it goes" % left[0], 2)
    return found, left


def number(text, kind=float):
    try:
        value = kind(text)
        if value >= 0:
            return value
    except ValueError:
        pass
    die("'%s' is not a number of this kind" % text, 2)


def start(arguments):
    import json
    import subprocess
    import time
    known = {"--variant": True, "--icount": False, "--cpus": True, "--for": True, "--timeout": True}
    found, _ = options(arguments, known)
    timeout = number(found.get("--timeout", "120"))
    cpus = number(found.get("--cpus", "1"), int)
    if "--icount" in found and cpus != 1:
        die("instructions can be counted with one processor only", 2)
    variant = found.get("--variant") or os.environ.get("BOARD_VARIANT") or ""
    for name in (os.path.join(variant, "flash.bin"), "kernel", "initrd"):
        if not os.path.exists(os.path.join(BUILD, name)):
            die("there is no %s: `make board%s` makes it"
                % (os.path.join(BUILD, name), " VARIANT=" + variant if variant else ""))
    os.makedirs(DIR, mode=0o700, exist_ok=True)
    starting = locked("start.lock", wait=True)
    if running():
        die("a machine runs in %s already; another one needs a BOARD_DIR of its own" % DIR)
    for name in ("share", "tee"):
        os.makedirs(in_dir(name), exist_ok=True)
    for name in os.listdir(DIR):
        if name.startswith(("port-", "agent-")):
            os.unlink(in_dir(name))
    settings = {"variant": variant, "cpus": cpus, "icount": "--icount" in found,
                "for": number(found.get("--for", "0"), int)}
    with open(in_dir("settings"), "w") as file:
        json.dump(settings, file)
    begun = time.monotonic()
    with open(in_dir("qemu.log"), "wb") as log:
        subprocess.Popen([os.path.join(BOARD, "board"), "keep"], stdin=subprocess.DEVNULL,
                         stdout=log, stderr=log, start_new_session=True, close_fds=True)
    try:
        while True:
            left = timeout - (time.monotonic() - begun)
            try:
                if os.path.exists(in_dir("agent-0")):
                    command(["true"], stdin=None, timeout=max(left, 0.1), wait=max(left, 0.1))
                    break
            except Gone as reason:
                if left <= 0 or not running():
                    raise Gone(reason) from None
            if left <= 0 or time.monotonic() - begun > 2 and not running():
                raise Gone("it has stopped" if left > 0 else "it does not answer after %g seconds" % timeout)
            time.sleep(0.02)
    except (Gone, TimeoutError) as reason:
        switch_off(0)
        say("the machine did not start: %s" % reason)
        for name in ("qemu.log", "secure.log", "normal.log"):
            show_end(name)
        sys.exit(BOARD_FAULT)
    os.close(starting)
    say("up after %.1f s, in %s%s" % (time.monotonic() - begun, DIR, " (counts instructions)" if settings["icount"]
                                      else ""))


def show_end(name):
    try:
        with open(in_dir(name), errors="replace") as file:
            lines = file.read().splitlines()[-12:]
    except OSError:
        return
    if lines:
        print("---- the end of %s" % in_dir(name), *lines, sep="\n", file=sys.stderr)


def keep(_):
    """The keeper of a machine, in the background: starts the emulator and waits for its end, or for that of the process
    it is there for. The emulator dies with its keeper, however that ends."""
    import json
    import signal
    import subprocess
    import time
    # Whoever asks whether a machine runs has the lock, too, for a moment.
    for _ in range(100):
        lock = locked("keeper.lock")
        if lock is not None:
            break
        time.sleep(0.02)
    else:
        die("another keeper is there")
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    with open(in_dir("settings")) as file:
        settings = json.load(file)
    os.chdir(DIR)
    build = os.path.relpath(BUILD)
    kernel, initrd = build + "/kernel", build + "/initrd"
    flash, memory = build + "/flash.bin", "1057"
    if settings["variant"]:
        flash = "%s/%s/flash.bin" % (build, settings["variant"])
        with open("%s/%s/memory" % (build, settings["variant"])) as file:
            memory = file.read().strip()
    where, size = 0x50000000, os.path.getsize(initrd)
    arguments = [
        "qemu-system-aarch64", "-M", "virt,secure=on,gic-version=3", "-cpu", "cortex-a57",
        "-smp", str(settings["cpus"]), "-m", memory, "-display", "none", "-monitor", "none", "-no-reboot",
        "-net", "none", "-serial", "file:normal.log", "-serial", "file:secure.log",
        "-bios", flash, "-kernel", kernel,
        "-append", "console=ttyAMA0,115200 rdinit=/init initrd=%#x,%d panic=-1" % (where, size),
        # The firmware jumps to the kernel without loading it.
        "-device", "loader,file=%s,addr=0x44000000,force-raw=on" % kernel,
        "-device", "loader,file=%s,addr=%#x,force-raw=on" % (initrd, where),
        "-device", "virtio-serial-pci,max_ports=%d" % (PORTS + 1),
    ]
    for name in ("share", "tee"):
        arguments += ["-fsdev", "local,id=%s,path=%s,security_model=none,multidevs=remap" % (name, name),
                      "-device", "virtio-9p-pci,fsdev=%s,mount_tag=%s" % (name, name)]
    for port in range(PORTS):
        arguments += ["-chardev", "socket,id=agent-%d,path=agent-%d,server=on,wait=off" % (port, port),
                      "-device", "virtserialport,chardev=agent-%d,name=agent-%d" % (port, port)]
    if settings["icount"]:
        arguments += ["-icount", "shift=0,sleep=off"]
    os.umask(0o077)
    emulator = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *arguments])
    signal.signal(signal.SIGTERM, lambda *_: emulator.terminate())
    while emulator.poll() is None:
        if settings["for"] and not os.path.exists("/proc/%d" % settings["for"]):
            emulator.kill()
        time.sleep(0.2)
    # The files named agent-N stay until the next start: whoever connects to one now is refused at once.
    sys.exit(0)


def switch_off(grace):
    """Ends the machine: politely first, if there is time for it."""
    import signal
    import time
    if grace > 0:
        try:
            command(["sh", "-c", "sync; poweroff -f"], stdin=None, timeout=grace, wait=grace)
        except (Gone, TimeoutError):
            pass
        wait_for_end(grace)
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        if not running():
            return
        try:
            with open(in_dir("keeper.lock")) as file:
                os.kill(int(file.read()), deadly)
        except (OSError, ValueError):
            pass
        wait_for_end(3)


def wait_for_end(seconds):
    import time
    end = time.monotonic() + seconds
    while running() and time.monotonic() < end:
        time.sleep(0.02)


def stop(arguments):
    options(arguments, {})
    if not running():
        say("no machine runs in %s" % DIR)
        return
    switch_off(3)
    say("still running" if running() else "stopped")
    sys.exit(BOARD_FAULT if running() else 0)


def run(arguments):
    known = {"-t": False, "-n": False, "-e": "list", "--count": False, "--timeout": True}
    found, left = options(arguments, known, rest=True)
    if not left:
        die("run what? board --help says how it goes", 2)
    timeout = number(found.get("--timeout") or os.environ.get("BOARD_TIMEOUT") or "600")
    environment = found.get("-e", [])
    for variable in environment:
        if "=" not in variable:
            die("-e wants NAME=VALUE, not '%s'" % variable, 2)
    terminal, restore = None, None
    if "-t" in found:
        timeout = number(found["--timeout"]) if "--timeout" in found else None
        environment = ["TERM=" + os.environ.get("TERM", "vt100"), *environment]
        terminal = 25, 80
        if os.isatty(0):
            import termios
            import tty
            columns, rows = os.get_terminal_size(0)
            if rows and columns:
                terminal = rows, columns
            restore = termios.tcgetattr(0)
            tty.setraw(0)
    try:
        status, nanoseconds = command(left, environment, timeout, None if "-n" in found else 0, terminal=terminal)
    except Gone as reason:
        die(str(reason) + ("" if running() else "; `board start` boots it"))
    except TimeoutError as reason:
        die("%s: %s (%g s)" % (left[0], reason, timeout), TIME_OVER)
    finally:
        if restore is not None:
            termios.tcsetattr(0, termios.TCSAFLUSH, restore)
    if "--count" in found:
        say("%d ns by the guest's clock" % nanoseconds)
    sys.exit(status)


def shell(arguments):
    options(arguments, {})
    run(["-t", "sh", "-l"])


def push(arguments):
    _, files = options(arguments, {}, rest=True)
    folder = files.pop() if len(files) > 1 and files[-1].endswith("/") else None
    if not files:
        die("push what? board --help says how it goes", 2)
    for name in files:
        place = folder or ("/lib/optee_armtz/" if name.endswith(".ta") else
                           "/usr/lib/tee-supplicant/plugins/" if name.endswith(".plugin") else "/usr/bin/")
        try:
            file = os.open(name, os.O_RDONLY)
            os.read(file, 0)
        except OSError as error:
            die("%s: %s" % (name, error.strerror), 1)
        # Under another name first: a program that runs cannot be written to.
        script = 'mkdir -p "$1" && cat > "$1.$2" && chmod "$3" "$1.$2" && mv -f "$1.$2" "$1$2"'
        mode = "755" if os.access(name, os.X_OK) else "644"
        try:
            status, _ = command(["sh", "-c", script, "sh", place, os.path.basename(name), mode], stdin=file, timeout=60)
        except (Gone, TimeoutError) as reason:
            die(str(reason))
        os.close(file)
        if status != 0:
            die("%s could not be copied" % name, 1)
    # tee-supplicant looks for plugins when it starts.
    if any(name.endswith(".plugin") for name in files):
        script = "killall tee-supplicant; until pidof tee-supplicant > /dev/null; do usleep 20000; done"
        command(["sh", "-c", script], stdin=None, timeout=20)


def console(arguments):
    follow = "-f" in arguments
    worlds = [a for a in arguments if a != "-f"]
    if worlds not in (["normal"], ["secure"]):
        die("console normal, or console secure", 2)
    path = in_dir(worlds[0] + ".log")
    if not os.path.exists(path):
        die("there is no %s: no machine has run there" % path)
    if follow:
        os.execvp("tail", ["tail", "-n", "+1", "-f", path])
    with open(path, "rb") as file:
        while True:
            data = file.read(65536)
            if not data:
                break
            write_all(1, data)


def status(arguments):
    import json
    options(arguments, {})
    if not running():
        print("no machine runs in %s" % DIR)
        sys.exit(1)
    with open(in_dir("settings")) as file:
        settings = json.load(file)
    try:
        command(["true"], stdin=None, timeout=10)
        state = "answers"
    except (Gone, TimeoutError):
        state = "does not answer (`board console secure` and `normal` may tell why; `board stop` ends it)"
    print("a machine runs in %s, and %s" % (DIR, state))
    if settings["variant"]:
        print("variant: " + settings["variant"])
    print("processors: %d; counts instructions: %s" % (settings["cpus"], "yes" if settings["icount"] else "no"))
    if settings["for"]:
        print("it stops when process %d ends" % settings["for"])
    sys.exit(0 if state == "answers" else BOARD_FAULT)


def main():
    commands = {"start": start, "stop": stop, "run": run, "shell": shell, "push": push, "console": console,
                "status": status, "keep": keep}
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("help", "--help", "-h") or arguments[1:2] in (["--help"], ["-h"]):
        print(__doc__.strip())
        sys.exit(0 if arguments else 2)
    if arguments[0] not in commands:
        die("there is no '%s'; board --help says what there is" % arguments[0], 2)
    try:
        commands[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(141)  # as if SIGPIPE had ended it; nothing is left to be written
