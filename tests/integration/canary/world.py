# SPDX-License-Identifier: Apache-2.0
"""The daemons, a simulated platform and a broker in a private directory, all of which end with the test."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIP = 77
TIMEOUT = 60  # seconds, for what takes milliseconds


class Failed(Exception):
    pass


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(SKIP)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(text, bytes) else "w") as f:
        f.write(text)
    return path


class World:
    def __init__(self, build):
        self.build = build
        self.processes = {}

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="snp-world-")
        return self

    def __exit__(self, *_):
        try:
            for name in reversed(list(self.processes)):
                self.stop(name)
        finally:
            shutil.rmtree(self.dir)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def program(self, *parts):
        path = os.path.join(self.build, *parts)
        if not os.access(path, os.X_OK):
            raise Failed(f"{path} was not built")
        return path

    def _spawn(self, name, argv, environment, pass_fds=()):
        with open(self.path(name + ".stderr"), "wb") as err, open(self.path(name + ".stdout"), "wb") as out:
            self.processes[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=pass_fds, close_fds=True,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment})
        return self.processes[name]

    def log(self, name):
        with open(self.path(name + ".stderr"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def start(self, name, *argv):
        """A program with --ready-fd: returns the line that it writes there."""
        reader, writer = os.pipe()
        process = self._spawn(name, [*argv, "--die-with-parent", "--ready-fd", str(writer)], {}, [writer])
        os.close(writer)
        with os.fdopen(reader) as f:
            line = f.readline()
        if not line:
            raise Failed(f"{name} did not start ({process.wait(TIMEOUT)}): {self.log(name)}")
        return line.strip()

    def start_daemon(self, name, *argv):
        """A program that tells systemd when it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(self.path(name + ".notify"))
            notify.settimeout(TIMEOUT)
            process = self._spawn(name, argv, {"NOTIFY_SOCKET": self.path(name + ".notify"),
                                               "ASAN_OPTIONS": "detect_leaks=0"})
            notify.settimeout(0.1)
            deadline = time.monotonic() + TIMEOUT
            while True:
                try:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return process
                except socket.timeout:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise Failed(f"{name} did not start ({process.poll()}): {self.log(name)}") from None

    def stop(self, name):
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(self, *argv, environment=None, stdout=None):
        """A program that ends by itself; returns its exit status, output and complaints."""
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=TIMEOUT, check=False, env={"PATH": os.environ["PATH"], **(environment or {})})
        return result.returncode, result.stdout, result.stderr.decode(errors="replace")
