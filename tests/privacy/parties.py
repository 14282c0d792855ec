"""What every party handled, written down by the recorder, and what can be found in it.

A recording is a list of entries (kind, channel, bytes); recorder/recorder.c says what the kinds are. Used by
test_who_sees_what.py and test_home_view.py.
"""
import glob
import os
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import oyez_test  # noqa: E402
from test_leak import forms  # noqa: E402

RECORDER = pathlib.Path(oyez_test.BUILD) / "tests" / "privacy" / "librecorder.so"


def recorded(party, address=None):
    """The environment in which a process of this party writes down what it handles."""
    folder = oyez_test.scratch("recordings")
    folder.mkdir(exist_ok=True)
    environment = {"LD_PRELOAD": str(RECORDER), "OYEZ_RECORD": str(folder / party)}
    if address:
        environment["OYEZ_RECORD_FROM"] = address
    return environment


def recording(party):
    """All entries of all processes of the party, those of one process in order. Channels are (process, number)."""
    entries = []
    for path in sorted(glob.glob(str(oyez_test.scratch("recordings") / party) + ".*")):
        content = pathlib.Path(path).read_bytes()
        process, at = int(path.rsplit(".", 1)[1]), 0
        while at + 9 <= len(content):
            kind, channel, length = struct.unpack_from("<cII", content, at)
            at += 9
            entries.append((kind.decode(), (process, channel), content[at:at + length]))
            at += length
    return entries


def everything(entries, kinds=None):
    """The bytes of all entries, what went over one connection in one piece, since a frame may come in parts."""
    streams, rest = {}, []
    for kind, channel, content in entries:
        if kinds and kind not in kinds:
            continue
        if kind in "rs":
            streams.setdefault((channel, kind), []).append(content)
        else:
            rest.append(content)
    return b"\n".join([b"".join(parts) for parts in streams.values()] + rest)


def forms_of(secret):
    """Bytes are looked for as they are and in hex; texts in every form that a program might give them."""
    if isinstance(secret, bytes):
        return {secret, secret.hex().encode(), secret.hex().upper().encode()}
    return forms(secret)


def holds(content, secret):
    return any(form in content for form in forms_of(secret))


def frames(entries, direction):
    """Messages of the scalability protocol per channel, in order: (channel, whole frame with its 8-byte length)."""
    buffers, found = {}, []
    for kind, channel, content in entries:
        if kind != direction:
            continue
        buffer = buffers.setdefault(channel, bytearray())
        buffer += content
        if not getattr(frames, "strict", False) and buffer[:2] == b"\0S" and len(buffer) >= 8:
            del buffer[:8]  # the protocol's own greeting
        while len(buffer) >= 8:
            length = int.from_bytes(buffer[:8], "big")
            if len(buffer) < 8 + length:
                break
            found.append((channel, bytes(buffer[:8 + length])))
            del buffer[:8 + length]
    return found


def protobuf_fields(content, path=""):
    """Every field of a protobuf message as (path, bytes), without its schema; what parses as a message is opened too."""
    at, found = 0, []
    while at < len(content):
        key, at = varint(content, at)
        number, wire = key >> 3, key & 7
        name = f"{path}.{number}"
        if wire == 0:
            value, at = varint(content, at)
            found.append((name, value.to_bytes(10, "big")))
        elif wire == 2:
            length, at = varint(content, at)
            if at + length > len(content):
                raise ValueError
            inner = content[at:at + length]
            at += length
            found.append((name, inner))
            try:
                found += protobuf_fields(inner, name) if len(inner) > 1 else []
            except (ValueError, IndexError):
                pass
        else:
            raise ValueError
        if number == 0:
            raise ValueError
    return found


def varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError
