"""Attempts to get out, each a function that says what came of it."""

from wasmill import function


def attempt(f):
    def run(event):
        try:
            return {"got": repr(f())}
        except Exception as e:
            return {type(e).__name__: str(e)}

    run.__name__ = f.__name__
    return function(run, kind="map")


@attempt
def connect():
    import socket

    return socket.socket()


@attempt
def resolve():
    import socket

    return socket.getaddrinfo("example.org", 80)


@attempt
def fetch():
    import urllib.request

    return urllib.request.urlopen("http://example.org/")


@attempt
def encrypt():
    import ssl

    return ssl


@attempt
def load_library():
    import ctypes

    return ctypes


@attempt
def run_program():
    import subprocess

    return subprocess.run(["ls"])


@attempt
def shell():
    import os

    return os.system("ls")


@attempt
def fork():
    import os

    return os.fork()


@attempt
def asks_for_fork():
    import os

    return hasattr(os, "fork")


@attempt
def thread():
    import threading

    threading.Thread(target=print).start()


@attempt
def pool():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as p:
        return list(p.map(str, [1]))


@attempt
def process():
    import multiprocessing

    multiprocessing.Process(target=print).start()


@attempt
def alarm():
    import signal

    signal.alarm(1)


@attempt
def ask():
    return input()


@attempt
def environment():
    import os

    return dict(os.environ), os.getcwd()


@attempt
def read_outside():
    with open("/etc/passwd") as f:
        return f.read()


@attempt
def climb():
    with open("../../etc/passwd") as f:
        return f.read()


@attempt
def write():
    with open("/bundle/new", "w") as f:
        return f.write("x")


@attempt
def overwrite():
    with open("clean.py", "w") as f:
        return f.write("x")


@attempt
def remove():
    import os

    os.remove("clean.py")


@attempt
def temporary():
    import tempfile

    with tempfile.TemporaryFile() as f:
        return f.write(b"x")


@attempt
def own_file():
    with open("clean.py") as f:
        return f.readline()


@attempt
def lock():
    import threading

    with threading.Lock():
        return "held"


@attempt
def deep_repr():
    x = []
    for _ in range(100_000):
        x = [x]
    return repr(x)


@attempt
def deep_calls():
    import sys

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)

    def down(n):
        return n if n == 100_000 else down(n + 1)

    try:
        return down(0)
    finally:
        sys.setrecursionlimit(limit)


@attempt
def deep_source():
    return eval("(" * 1000 + ")" * 1000)
