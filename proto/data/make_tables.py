#!/usr/bin/env python3
"""Makes C tables at build time: regions and currencies from the iso-codes package, and files as byte arrays.

    make_tables.py regions --json DIR --locale DIR --data DIR --out FILE
    make_tables.py embed NAME IN --out FILE

Standard library only. Without iso-codes' French catalogues (slim images drop them) names fall back to English.
"""

import argparse
import gettext
import json
import os
import sys

TREE_NONE = 0xFFFFFFFF

# Codes that changed, or that ISO 3166-1 reserves for the same country: whichever of the two iso-codes has is the
# region's code, the other one finds it too.
RENAMED = [("FR-75", "FR-75C"), ("GB", "UK"), ("GR", "EL")]


def iso(folder, number):
    path = os.path.join(folder, f"iso_{number}.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)[number.removeprefix("iso_")]
    except FileNotFoundError:
        sys.exit(f"{path} is missing: install the package iso-codes")


def french(folder, number):
    """A function from an English name to the French one, or None where there is no catalogue."""
    path = os.path.join(folder, "fr", "LC_MESSAGES", f"iso_{number}.mo")
    try:
        with open(path, "rb") as file:
            return gettext.GNUTranslations(file).gettext
    except OSError:
        print(f"make_tables.py: {path} is missing, names stay English", file=sys.stderr)
        return lambda name: name


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split("#")[0].split()
            if fields:
                yield fields


def quote(text):
    """A C string literal, as UTF-8 bytes outside printable ASCII in octal (hex escapes would swallow digits)."""
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        out.append(char if 32 <= byte < 127 and char not in '"\\?' else f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


class Region:
    def __init__(self, code, name, name_fr, parent):
        self.code, self.name, self.name_fr, self.parent = code, name, name_fr, parent
        self.below = []


def tidy(name):
    """iso-codes turns some names around for sorting: "wallonne, Région" """
    parts = name.split(", ")
    return f"{parts[1]} {parts[0]}" if len(parts) == 2 and parts[0][:1].islower() else name


def read_regions(arguments):
    regions = {}
    country_fr, subdivision_fr = french(arguments.locale, "3166-1"), french(arguments.locale, "3166-2")
    alpha3 = {}
    for row in iso(arguments.json, "3166-1"):
        name = row.get("common_name", row["name"])
        name_fr = country_fr(name)
        regions[row["alpha_2"]] = Region(row["alpha_2"], name, name_fr, None)
        alpha3[row["alpha_2"]] = row["alpha_3"]
    for row in iso(arguments.json, "3166-2"):
        code, country = row["code"], row["code"].split("-")[0]
        parent = row.get("parent")
        if parent and "-" not in parent:
            parent = f"{country}-{parent}"
        regions[code] = Region(code, tidy(row["name"]), tidy(subdivision_fr(row["name"])), parent or country)
    for region in regions.values():
        if region.parent is not None and region.parent not in regions:
            region.parent = region.code.split("-")[0]
    return regions, alpha3


def order(regions):
    """Pre-order, siblings by code."""
    for region in sorted(regions.values(), key=lambda region: region.code):
        if region.parent is not None:
            regions[region.parent].below.append(region)
    out = []

    def walk(region, parent, depth):
        number = len(out)
        out.append(region)
        region.number, region.parent_number, region.depth = number, parent, depth
        for below in region.below:
            walk(below, number, depth + 1)
        region.last = len(out) - 1

    for region in sorted(regions.values(), key=lambda region: region.code):
        if region.parent is None:
            walk(region, TREE_NONE, 1)
    if len(out) != len(regions):
        sys.exit("iso-codes: parents of regions run in a circle")
    return out


def array(out, declaration, items, per_line=16):
    out.append(f"{declaration} = {{")
    items = list(items)
    for start in range(0, len(items), per_line):
        out.append("\t" + ", ".join(items[start : start + per_line]) + ",")
    out.append("};")


def make_regions(arguments):
    regions, alpha3 = read_regions(arguments)
    nodes = order(regions)
    usual = {}
    for code, currency, language in lines(os.path.join(arguments.data, "countries.txt")):
        if code in regions:
            usual[code] = (currency, language)
    for node in nodes:
        inherited = usual.get(node.parent, ("EUR", "en"))
        usual[node.code] = usual.get(node.code, inherited)

    out = ['#include "proto/region_tables.h"', ""]
    array(out, "static const uint32_t parent[]", (f"{node.parent_number}u" for node in nodes))
    array(out, "static const uint32_t last[]", (str(node.last) for node in nodes))
    array(out, "static const uint8_t depth[]", (str(node.depth) for node in nodes))
    array(out, "static const uint8_t flags[]", ("0" for node in nodes))
    out.append(f"const struct tree region_table_tree = {{{len(nodes)}u, parent, last, depth, flags}};")
    array(out, "const struct region_row region_table[]",
          (f"{{{quote(node.code)}, {quote(node.name)}, {quote(node.name_fr)}, {quote(usual[node.code][0])}, "
           f"{quote(usual[node.code][1])}}}" for node in nodes), 1)

    codes = [(node.code, node.number) for node in nodes]
    for pair in RENAMED:
        known = [code for code in pair if code in regions]
        if len(known) == 1:
            codes += [(code, regions[known[0]].number) for code in pair if code not in regions]
    array(out, "const struct region_key region_table_by_code[]",
          (f"{{{quote(code)}, {number}}}" for code, number in sorted(codes)), 4)
    out.append(f"const uint32_t region_table_by_code_count = {len(codes)};")
    array(out, "const struct region_key region_table_by_alpha3[]",
          (f"{{{quote(code3)}, {regions[code2].number}}}" for code3, code2 in sorted((b, a) for a, b in alpha3.items())),
          4)
    out.append(f"const uint32_t region_table_by_alpha3_count = {len(alpha3)};")

    decimals = dict(lines(os.path.join(arguments.data, "currency_decimals.txt")))
    currencies = sorted((row["alpha_3"], int(row["numeric"])) for row in iso(arguments.json, "4217"))
    array(out, "const struct currency_row currency_table[]",
          (f"{{{quote(code)}, {number}, {decimals.get(code, 2)}}}" for code, number in currencies), 4)
    out.append(f"const uint32_t currency_table_count = {len(currencies)};")
    return out


def make_embed(arguments):
    with open(arguments.input, "rb") as file:
        content = file.read()
    out = ["#include <stddef.h>", ""]
    out.append(f"const size_t {arguments.name}_bytes = {len(content)};")
    array(out, f"const unsigned char {arguments.name}[]", [str(byte) for byte in content] + ["0"], 24)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    regions = commands.add_parser("regions")
    regions.add_argument("--json", required=True)
    regions.add_argument("--locale", required=True)
    regions.add_argument("--data", required=True)
    regions.set_defaults(make=make_regions)
    embed = commands.add_parser("embed")
    embed.add_argument("name")
    embed.add_argument("input")
    embed.set_defaults(make=make_embed)
    for command in (regions, embed):
        command.add_argument("--out", required=True)
    arguments = parser.parse_args()
    text = "\n".join(["// Made by proto/data/make_tables.py; do not edit."] + arguments.make(arguments)) + "\n"
    with open(arguments.out, "w", encoding="ascii") as file:
        file.write(text)


main()
