#!/usr/bin/env python3
"""Turns the roster's files into a C table: make_terms.py FOLDER OUT.h

An agreement ID is three files: ID.roster (lines "name: value"), ID.en.txt and ID.fr.txt (its text). Adding an
agreement is adding these files. `number` counts from 0 without gaps and is never changed: it orders the table,
and stored records hold it. A text that has been published is never changed either: a new version is a new id.
"""
import pathlib
import re
import sys

NAMES = ["number", "iri", "version", "retention_days", "purposes", "recipients", "summary_en", "summary_fr"]
WHOLE = ["number", "version", "retention_days"]
LISTS = ["purposes", "recipients"]  # of short stable words; an agreement carries them
LIST_MAX = 8
NUMBER_MAX = 15  # a filter's terms are 16 bits


def read_entry(path):
    entry = {"id": path.stem}
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon or name not in NAMES or name in entry or not value.strip():
            sys.exit(f"{path}:{count}: not one of the lines expected: {', '.join(NAMES)}")
        entry[name] = value.strip()
    for name in NAMES:
        if name not in entry:
            sys.exit(f"{path}: no line for {name}")
    for name in WHOLE:
        if not entry[name].isdecimal():
            sys.exit(f"{path}: {name} is not a whole number")
        entry[name] = int(entry[name])
    for name in LISTS:
        entry[name] = entry[name].split()
        if len(entry[name]) > LIST_MAX or not all(re.fullmatch("[a-z][a-z0-9_]{0,31}", word) for word in entry[name]):
            sys.exit(f"{path}: {name} are at most {LIST_MAX} words of small letters, digits and _")
    for language in ("en", "fr"):
        entry["text_" + language] = path.with_suffix(f".{language}.txt").read_text(encoding="utf-8")
    return entry


def c_string(text):
    """A C literal of one line per line of text; octal escapes so that nothing depends on the compiler's charset."""
    def byte(value):
        if value in b'"\\?' or not 32 <= value < 127:
            return f"\\{value:03o}"
        return chr(value)
    lines = text.splitlines(keepends=True) or [""]
    return "\n\t\t\t".join('"' + "".join(byte(b) for b in line.encode("utf-8")) + '"' for line in lines)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    entries = sorted((read_entry(path) for path in folder.glob("*.roster")), key=lambda entry: entry["number"])
    if [entry["number"] for entry in entries] != list(range(len(entries))) or len(entries) > NUMBER_MAX + 1:
        sys.exit(f"{folder}: numbers must count from 0 without gaps, at most to {NUMBER_MAX}")
    rows = "".join(
        "\t{\n"
        + "".join(f"\t\t.{name} = {c_string(entry[name])},\n" for name in ("id", "iri"))
        + "".join(f"\t\t.{name} = {entry[name]},\n" for name in ("version", "retention_days"))
        + "".join(f"\t\t.{name} = {{{', '.join(c_string(word) for word in entry[name])}}},\n" for name in LISTS)
        + "".join(f"\t\t.{name} = {c_string(entry[name])},\n"
                  for name in ("summary_en", "summary_fr", "text_en", "text_fr"))
        + "\t},\n"
        for entry in entries)
    out.write_text("// Made by make_terms.py; do not edit.\n"
                   f"static const struct terms terms_table[] = {{\n{rows}}};\n"
                   f"static const size_t terms_table_count = {len(entries)};\n", encoding="utf-8")


main()
