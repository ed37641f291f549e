#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for a known secret where it must not be: in processes, files and whole directories.

A copy need not be whole. The allocator writes its pointers over the first 16 bytes of what was freed, and a buffer may
end in the middle. So each encoding of the secret is cut into pieces, and any piece found is a find. With pieces of 15
and 16 bytes of a random secret, chance finds none.

usage: search.py HEX-FILE DIRECTORY [EXCLUDED-PATH...]     exit status 1: found, with a line for each place
HEX-FILE holds secrets, one a line, as NAME HEX.
"""
import base64
import os
import sys

CHUNK = 1 << 20
ZERO = bytes(CHUNK)
# AddressSanitizer maps its shadow of the address space: terabytes, of which each byte describes eight others and
# holds none of them. No allocator makes a mapping of its own that large.
MAPPING_MAX = 64 << 30


def pieces(text, size):
    """Whole pieces only; a shorter rest would be found by chance."""
    return [text[i:i + size] for i in range(0, len(text) - size + 1, size)]


def encodings(secret):
    """(name, bytes to look for) for each piece in each encoding."""
    for piece in pieces(secret, 16):
        yield "raw", piece
    for piece in pieces(secret.hex(), 32):
        yield "hex", piece.encode()
        yield "hex", piece.upper().encode()
    # In a longer text the secret starts at any place modulo 3; the characters at its ends depend on what stands
    # around it, so that each alignment is encoded without them.
    for skip in range(3):
        inner = secret[skip:len(secret) - (len(secret) - skip) % 3]
        for name, encode in ("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode):
            for piece in pieces(encode(inner), 20):
                yield name, piece


class Needles:
    """What to look for: NAME -> secret, in every encoding."""

    def __init__(self, secrets):
        self.needles = {}
        for name, secret in secrets.items():
            if len(secret) < 32:
                raise ValueError("a shorter secret could be met by chance")
            for encoding, piece in encodings(secret):
                self.needles.setdefault(piece, f"{name} ({encoding})")
        self.overlap = max(map(len, self.needles)) - 1

    def find(self, data):
        """{(label, offset)} of every needle's first place in @data."""
        found = set()
        for needle, label in self.needles.items():
            at = data.find(needle)
            if at >= 0:
                found.add((label, at))
        return found

    def find_in_stream(self, read):
        """As find(), where read(n) returns b"" at the end."""
        found, offset, tail = set(), 0, b""
        while data := read(CHUNK):
            untouched = data == ZERO  # most of what AddressSanitizer maps
            data = tail + data
            if not untouched or any(tail):
                found |= {(label, offset + at) for label, at in self.find(data)}
            tail = data[-self.overlap:]
            offset += len(data) - len(tail)
        return found


def search_file(needles, path):
    with open(path, "rb", buffering=0) as f:
        return [f"{label} in {path} at {at}" for label, at in needles.find_in_stream(f.read)]


def search_directory(needles, top, excluded=()):
    """Every regular file below @top, what links point at left out; returns (findings, number of files)."""
    found, n = [], 0
    excluded = {os.path.realpath(path) for path in excluded}
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if os.path.realpath(os.path.join(directory, name)) not in excluded
                    and not os.path.ismount(os.path.join(directory, name))]
        for name in files:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path) and os.path.realpath(path) not in excluded:
                found += search_file(needles, path)
                n += 1
    return found, n


def readable_mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            start, end = (int(x, 16) for x in fields[0].split("-"))
            name = fields[5].strip() if len(fields) > 5 else "anonymous"
            # [vvar] is the kernel's and cannot be read this way.
            if fields[1][0] == "r" and name not in ("[vvar]", "[vsyscall]", "[vvar_vclock]") and \
                    end - start <= MAPPING_MAX:
                yield start, end, name


def search_memory(needles, pid):
    """All that a process can read of itself; returns (findings, bytes searched).

    This is stricter than a core dump, which leaves out what MADV_DONTDUMP and coredump_filter say.
    """
    found, total = [], 0
    mem = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for start, end, name in readable_mappings(pid):
            position = start

            def read(n):
                nonlocal position
                try:
                    data = os.pread(mem, min(n, end - position), position)
                except OSError:  # a page of a file that has become shorter
                    return b""
                position += len(data)
                return data

            for label, at in needles.find_in_stream(read):
                found.append(f"{label} in memory of {pid} at {start + at:#x}, {name}")
            total += position - start
    finally:
        os.close(mem)
    return found, total


def search_process(needles, pid):
    """Memory, arguments, environment; returns (findings, bytes searched)."""
    found, total = search_memory(needles, pid)
    for name in "cmdline", "environ":
        found += search_file(needles, f"/proc/{pid}/{name}")
    return found, total


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="ascii") as f:
        secrets = {name: bytes.fromhex(value) for name, value in (line.split() for line in f)}
    found, n = search_directory(Needles(secrets), sys.argv[2], sys.argv[3:])
    for line in found:
        print(line)
    print(f"{n} files searched for {len(secrets)} secrets, {len(found)} finds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
