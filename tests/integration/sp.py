"""Oyez frames over raw SP/TCP (nng's REQ side), by hand: for tests that say what no well-behaved client says.

It knows the wire only: handshake, length-prefixed messages, request ids, and enough protobuf to read errors.
"""
import itertools
import socket
import struct

_numbers = itertools.count(1)
HANDSHAKE = b"\x00SP\x00\x00\x30\x00\x00"  # REQ
REQUEST, CELL, ADMIN, ERROR, REPLY, CELL_REPLY = 1, 2, 3, 0x80, 0x81, 0x82
CELL_BYTES = 8192


def frame(kind, payload=b"", version=1):
    return b"OY" + bytes([version, kind]) + payload


GET_CONFIG = frame(REQUEST, b"\x0a\x00")
GET_CHALLENGE = frame(REQUEST, b"\x12\x00")


def fields(payload):
    """Protobuf fields in order: (number, value) with ints for varints, bytes for the rest."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    found = []
    while at < len(payload):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
        elif tag & 7 == 2:
            count = varint()
            found.append((tag >> 3, payload[at:at + count]))
            at += count
        else:
            raise ValueError(f"wire type {tag & 7}")
    return found


def error_of(reply):
    """The stable code of an error, in an error frame or in a Reply; None for any other reply."""
    assert reply[:2] == b"OY", reply[:8]
    if reply[3] == ERROR:
        return dict(fields(reply[4:]))[2].decode()
    if reply[3] == REPLY:
        inner = dict(fields(reply[4:]))
        return dict(fields(inner[1]))[2].decode() if 1 in inner else None
    return None


class Closed(Exception):
    """The other side closed the connection."""


class Raw:
    """One TCP connection to a listener."""

    def __init__(self, broker, timeout=20.0, handshake=True, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", broker.port()))
        if handshake:
            self.socket.sendall(HANDSHAKE)
            hello = self.read(8)
            assert hello == b"\x00SP\x00\x00\x31\x00\x00", hello

    def read(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionError as error:
                raise Closed() from error
            if not more:
                raise Closed()
            data += more
        return data

    @staticmethod
    def compose(payload):
        """(id, bytes) of one request."""
        number = next(_numbers) & 0x7FFFFFFF | 0x80000000
        return number, struct.pack(">QI", len(payload) + 4, number) + payload

    def send(self, payload):
        """Sends one request; its id."""
        number, data = self.compose(payload)
        self.socket.sendall(data)
        return number

    def receive(self):
        """(request id, frame)"""
        count = struct.unpack(">Q", self.read(8))[0]
        body = self.read(count)
        return struct.unpack(">I", body[:4])[0], body[4:]

    def ask(self, payload):
        number = self.send(payload)
        answered, reply = self.receive()
        assert answered == number, (answered, number)
        return reply

    def closed_by_peer(self):
        """Waits for the other side to close; True once it did."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
