#!/usr/bin/env python3
"""Dependencies run one way, and the core touches nothing but memory.

1. Every #include in proto/, broker/ and clients/ names a file of the same folder or of one lower in LAYERS.
2. broker/core/ includes only the few pure headers of proto/ and of libc named below.
3. The core's objects, compiled plainly (no sanitizer, no fortify), call nothing outside the core but ALLOWED_SYMBOLS:
   no clock, no randomness, no files, no logging, no sockets.
Before it judges the real tree the test breaks each rule in a scratch tree and sees that it is found.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

# Lowest first. A folder may include from itself and from those before it in the same list.
BROKER = ["proto", "broker/base", "broker/core", "broker/store", "broker/service", "broker/sequencer", "broker/peer",
          "broker/edge", "broker"]
CLIENTS = ["proto", "broker/base", "clients/lib", "clients/cli", "clients/bot"]

CORE = "broker/core"
CORE_PROTO_HEADERS = {"proto/limits.h", "proto/err.h", "proto/id.h", "proto/tree.h"}
CORE_LIBC_HEADERS = {"assert.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h"}

# Libraries that one folder hides from all others.
PRIVATE_HEADERS = {"lmdb.h": "broker/store"}

ALLOWED_SYMBOLS = {"abort", "__assert_fail", "bsearch", "calloc", "free", "malloc", "memchr", "memcmp", "memcpy",
                   "memmove", "memset", "qsort", "realloc", "strcmp", "strlen", "strncmp",
                   "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(path):
    """The layer a path belongs to: the longest listed folder above it, None if there is none."""
    above = [folder for folder in BROKER + CLIENTS if path.startswith(folder + "/")]
    return max(above, key=len, default=None)


def resolve(root, including, name):
    """The path from the root that an #include "name" means, as the compiler looks: beside the file, then the root.

    Generated headers lie in neither place: *.pb-c.h belongs where its .proto is, others to the file's own folder.
    """
    beside = Path(os.path.normpath(including.parent / name))
    if (root / beside).exists():
        return str(beside)
    if (root / name).exists():
        return name
    if name.endswith(".pb-c.h"):
        schema = name[: -len(".pb-c.h")] + ".proto"
        for candidate in (Path(schema), including.parent / schema, Path("proto") / schema):
            if (root / candidate).exists():
                return str(candidate)
        for candidate in sorted(root.glob("clients/*/" + schema)):
            return str(candidate.relative_to(root))
    return name if "/" in name else str(beside)


def check_include(root, path, bracket, name):
    """What is wrong with one include of `path`, None if nothing is."""
    folder = folder_of(str(path))
    if bracket == "<":
        if folder == CORE and name not in CORE_LIBC_HEADERS:
            return f"{path}: the core must not include <{name}> (allowed: {', '.join(sorted(CORE_LIBC_HEADERS))})"
        owner = PRIVATE_HEADERS.get(name)
        if owner and folder != owner:
            return f"{path}: <{name}> is for {owner} alone"
        return None
    target = resolve(root, path, name)
    target_folder = folder_of(target)
    if target_folder is None:
        return f'{path}: "{name}" is in no folder of the layers'
    if target_folder == folder:
        return None
    if folder == CORE:
        if target in CORE_PROTO_HEADERS:
            return None
        return f'{path}: the core must not include "{name}" (allowed: {", ".join(sorted(CORE_PROTO_HEADERS))})'
    layers = CLIENTS if folder.startswith("clients/") else BROKER
    if target_folder not in layers:
        return f'{path}: {folder} must not include "{name}" of {target_folder}'
    if layers.index(target_folder) > layers.index(folder):
        return f'{path}: {folder} is below {target_folder} and must not include "{name}"'
    return None


def check_includes(root):
    problems, files = [], 0
    for top in ("proto", "broker", "clients"):
        for file in sorted((root / top).rglob("*.[ch]")):
            path = file.relative_to(root)
            files += 1
            if folder_of(str(path)) is None:
                problems.append(f"{path}: its folder has no place in the layers; give it one in this test")
                continue
            for bracket, name in INCLUDE.findall(file.read_text(encoding="utf-8")):
                problem = check_include(root, path, bracket, name)
                if problem:
                    problems.append(problem)
    return problems, files


def symbols(nm_options, objects):
    """{symbol: object file} as nm lists them."""
    found = {}
    for file in objects:
        listing = subprocess.run(["nm", "-P", *nm_options, str(file)], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            found[line.split()[0]] = file.name
    return found


def check_symbols(root, scratch):
    """Compiles the core by itself and compares what it calls with the list."""
    sources = sorted((root / CORE).glob("*.c"))
    compiler = shlex.split(os.environ.get("CC", "cc"))
    objects = []
    for source in sources:
        target = Path(scratch) / (source.stem + ".o")
        command = [*compiler, "-std=gnu11", "-O1", "-U_FORTIFY_SOURCE", "-fno-sanitize=all", "-c", "-I", str(root),
                   str(source), "-o", str(target)]
        compiled = subprocess.run(command, capture_output=True, text=True)
        if compiled.returncode != 0:
            return [f"{source.relative_to(root)} does not compile by itself:\n{compiled.stderr}"], len(sources)
        objects.append(target)
    defined = symbols(["-g", "--defined-only"], objects)
    return [f"{CORE}/{Path(file).stem}.c: the core must not call {symbol}"
            for symbol, file in sorted(symbols(["-u"], objects).items())
            if symbol not in defined and symbol not in ALLOWED_SYMBOLS], len(sources)


# Each file breaks (or keeps) one rule; the text must turn up in the findings, None means no finding for the file.
BROKEN_TREE = [
    ("proto/limits.h", "", None),
    ("proto/sign.h", "", None),
    ("proto/upwards.c", '#include "broker/base/clock.h"\n', 'proto is below broker/base'),
    ("proto/wire.proto", "", None),
    ("broker/base/clock.h", '#include "proto/limits.h"\n', None),
    ("broker/base/upwards.c", '#include "broker/store/store.h"\n', "broker/base is below broker/store"),
    ("broker/base/dots.c", '#include "../store/store.h"\n', "broker/base is below broker/store"),
    ("broker/core/good.c", '#include "good.h"\n#include "proto/limits.h"\n#include <string.h>\n', None),
    ("broker/core/good.h", "#include <stdint.h>\n", None),
    ("broker/core/clock.c", '#include "broker/base/clock.h"\n', 'must not include "broker/base/clock.h"'),
    ("broker/core/sign.c", '#include "proto/sign.h"\n', 'must not include "proto/sign.h"'),
    ("broker/core/files.c", "  #  include <stdio.h>\n", "must not include <stdio.h>"),
    ("broker/store/store.h", '#include "broker/core/good.h"\n#include "wire.pb-c.h"\n#include <lmdb.h>\n', None),
    ("broker/edge/rows.c", "#include <lmdb.h>\n", "<lmdb.h> is for broker/store alone"),
    ("broker/config.h", '#include "broker/store/store.h"\n', None),
    ("broker/store/config.c", '#include "broker/config.h"\n', "broker/store is below broker"),
    ("broker/unheard/of.c", '#include "broker/config.h"\n', None),  # plain broker/: the longest folder above it
    ("clients/lib/good.c", '#include "broker/base/clock.h"\n#include "proto/sign.h"\n', None),
    ("clients/lib/peeks.c", '#include "broker/core/good.h"\n', 'must not include "broker/core/good.h"'),
    ("clients/cli/peeks.c", '#include "broker/config.h"\n', 'must not include "broker/config.h"'),
    ("clients/cli/good.c", '#include "clients/lib/good.h"\n', None),
    ("clients/lib/good.h", "", None),
    ("clients/lib/upwards.c", '#include "clients/cli/cli.h"\n', "clients/lib is below clients/cli"),
    ("clients/new/new.c", "", "its folder has no place in the layers"),
]
BAD_SYMBOL = """
#include <stdlib.h>
long time(long *);
long next(long);
long next(long n) { return n + 1; }
long now(void);
long now(void) { free(malloc(1)); return next(time(NULL)) + rand(); }
"""


def self_check():
    """Breaks every rule on purpose. What this test fails to see, as a list of complaints."""
    complaints = []
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "includes"
        for path, text, _ in BROKEN_TREE:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        problems, _ = check_includes(root)
        for path, _, expected in BROKEN_TREE:
            found = [problem for problem in problems if problem.startswith(path + ":")]
            if expected is None and found:
                complaints.append(f"a good include was reported: {found[0]}")
            if expected is not None and (len(found) != 1 or expected not in found[0]):
                complaints.append(f"{path}: expected one finding with '{expected}', got {found}")

        root = Path(scratch) / "symbols"
        (root / CORE).mkdir(parents=True)
        (root / CORE / "impure.c").write_text(BAD_SYMBOL)
        problems, _ = check_symbols(root, scratch)
        expected = [f"{CORE}/impure.c: the core must not call {symbol}" for symbol in ("rand", "time")]
        if problems != expected:
            complaints.append(f"bad symbols: expected {expected}, got {problems}")
    return complaints


def main():
    root = Path(os.environ.get("OYEZ_SOURCE_DIR") or Path(__file__).resolve().parents[2])
    complaints = self_check()
    for complaint in complaints:
        print(f"this test does not see what it should: {complaint}")
    includes, files = check_includes(root)
    with tempfile.TemporaryDirectory() as scratch:
        calls, sources = check_symbols(root, scratch)
    for problem in includes + calls:
        print(problem)
    if files < 20 or sources < 6:
        print(f"only {files} files and {sources} core sources found under {root}: is OYEZ_SOURCE_DIR right?")
        return 1
    print(f"{files} files, {sources} core sources: {len(includes)} bad includes, {len(calls)} bad calls")
    return 1 if complaints or includes or calls else 0


if __name__ == "__main__":
    sys.exit(main())
