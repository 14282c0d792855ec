#!/usr/bin/env python3
"""Compiles data/scrub.json into C tables: patterns become programs for proto/scrub_match.c.

    make_scrub.py IN.json OUT.c

The language is PROTOCOL.md §15; whatever is not in it is refused here, at build time. Standard library only.
"""

import json
import re
import sys

CHAR, SPLIT, JUMP, MATCH = range(4)
OPS_MAX, EXPANDED_MAX, REPEAT_MAX = 6000, 20000, 256
CASES = ["any", "upper", "capital", "title", "domain"]
CHECKS = ["none", "mod97", "luhn", "nir_key", "ipv6"]
RULE_FIELDS = {"name", "kind", "match", "not_before", "not_after", "except", "case", "check", "near", "far", "tail"}


def fail(where, what):
    sys.exit(f"make_scrub.py: {where}: {what}")


class Compiler:
    """A recursive descent over one pattern: each part is a list of ops with targets relative to its own start."""

    def __init__(self, name, text, define):
        self.name = name
        self.text = self.expand(text, define, 0)
        self.at = 0

    def expand(self, text, define, depth):
        if depth > 8:
            fail(self.name, "definitions nested deeper than 8")

        def replace(found):
            if found[1] not in define:
                fail(self.name, f"<{found[1]}> is not defined")
            return "(?:" + self.expand(define[found[1]], define, depth + 1) + ")"

        text = re.sub(r"<([a-z_0-9]+)>", replace, text)
        if len(text) > EXPANDED_MAX:
            fail(self.name, "too long once expanded")
        return text

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self):
        char = self.peek()
        if not char:
            fail(self.name, "ends too early")
        self.at += 1
        return char

    def program(self):
        ops = self.alternatives()
        if self.at != len(self.text):
            fail(self.name, f"stray {self.text[self.at:][:20]!r}")
        ops = ops + [(MATCH, 0, 0)]
        if len(ops) > OPS_MAX:
            fail(self.name, f"{len(ops)} ops, more than {OPS_MAX}")
        return ops

    def alternatives(self):
        branches = [self.sequence()]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence())
        ops = branches.pop()
        while branches:
            first = branches.pop()
            ops = [(SPLIT, 1, len(first) + 2)] + first_shift(first, 1) + [(JUMP, len(first) + 2 + len(ops), 0)] \
                + first_shift(ops, len(first) + 2)
        return ops

    def sequence(self):
        ops = []
        while self.peek() and self.peek() not in "|)":
            ops += first_shift(self.repeated(), len(ops))
        return ops

    def repeated(self):
        atom = self.atom()
        low, high = 1, 1
        if self.peek() == "?":
            self.take()
            low, high = 0, 1
        elif self.peek() == "{":
            found = re.compile(r"\{(\d+)(?:,(\d+))?\}").match(self.text, self.at)
            if not found:
                fail(self.name, "a repeat is {n} or {m,n}")
            self.at = found.end()
            low, high = int(found[1]), int(found[2] or found[1])
            if low > high or high > REPEAT_MAX or high == 0:
                fail(self.name, f"repeat {found[0]}")
        if self.peek() and self.peek() in "?{*+":
            fail(self.name, "a repeat behind a repeat, or one without end")
        ops = []
        for _ in range(low):
            ops += first_shift(atom, len(ops))
        total = len(ops) + (high - low) * (len(atom) + 1)
        for _ in range(high - low):
            ops += [(SPLIT, len(ops) + 1, total)]
            ops += first_shift(atom, len(ops))
        return ops

    def atom(self):
        char = self.take()
        if char == "(":
            if self.take() + self.take() != "?:":
                fail(self.name, "a group begins with (?:")
            ops = self.alternatives()
            if self.take() != ")":
                fail(self.name, "a group without its end")
            return ops
        if char == "[":
            return [(CHAR, self.char_class(), 0)]
        if char in "^$.*+?{}":
            fail(self.name, f"{char} is not in the language here")
        return [(CHAR, frozenset([self.literal(char)]), 0)]

    def literal(self, char):
        if char == "\\":
            char = self.take()
            if char.isalnum():
                fail(self.name, f"\\{char}")
        if ord(char) > 127 or char.isupper():
            fail(self.name, f"{char!r} never stands in folded text")
        return ord(char)

    def char_class(self):
        members = set()
        while self.peek() != "]":
            low = self.literal(self.take())
            if self.peek() == "-" and self.text[self.at + 1:self.at + 2] != "]":
                self.take()
                high = self.literal(self.take())
                if high < low:
                    fail(self.name, "a range that runs backwards")
                members.update(range(low, high + 1))
            else:
                members.add(low)
        self.take()
        return frozenset(members)


def first_shift(ops, by):
    return [(op[0], op[1] + by, op[2] + by if op[0] == SPLIT else 0) if op[0] in (SPLIT, JUMP) else op for op in ops]


def first_chars(ops):
    """What a match can begin with."""
    todo, seen, chars = [0], set(), set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        code, x, y = ops[at]
        if code == CHAR:
            chars |= x
        elif code == SPLIT:
            todo += [x, y]
        elif code == JUMP:
            todo.append(x)
        else:
            return set(range(128))
    return chars


def quote(text):
    out = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode("utf-8"))
    return f'"{out}"'


def bits(chars):
    words = [sum(1 << (c - 64 * i) for c in chars if c // 64 == i) for i in range(2)]
    return f"{{{{UINT64_C({words[0]:#x}), UINT64_C({words[1]:#x})}}}}"


class Output:
    def __init__(self, data):
        self.data, self.lines, self.sets, self.patterns = data, [], {}, {}

    def set_index(self, chars):
        return self.sets.setdefault(chars, len(self.sets))

    def pattern(self, where, text):
        """The C name of a compiled pattern; equal texts share one."""
        if text is None:
            return "NULL"
        if text not in self.patterns:
            ops = Compiler(where, text, self.data["define"]).program()
            number = len(self.patterns)
            rows = ", ".join(f"{{{c}, {self.set_index(x) if c == CHAR else x}, {y}}}" for c, x, y in ops)
            self.lines.append(f"static const struct scrub_op ops_{number}[] = {{{rows}}};")
            self.lines.append(f"static const struct scrub_pattern pattern_{number} = {{ops_{number}, {len(ops)}, "
                              f"{bits(first_chars(ops))}}};")
            self.patterns[text] = number
        return f"&pattern_{self.patterns[text]}"

    def words(self, where, near):
        if near is None:
            return "{NULL, 0, 0}"
        for name in near["words"]:
            if name not in self.data["words"]:
                fail(where, f"no word list {name}")
        words = " ".join(" ".join(self.data["words"][name]) for name in near["words"])
        return f"{{{quote(' ' + words + ' ')}, {near['before']}, {near.get('after', 0)}}}"

    def tail(self, where, names):
        out = []
        for name in names:
            tail = self.data["tails"].get(name) or fail(where, f"no tail {name}")
            out.append(f"{{{self.pattern(name, tail['match'])}, {CASES.index(tail.get('case', 'any'))}, "
                       f"{tail.get('times', 1)}}}")
        return out

    def rules(self):
        rows = []
        for rule in self.data["rules"]:
            where = rule.get("name", "a rule without a name")
            if set(rule) - RULE_FIELDS:
                fail(where, f"unknown: {sorted(set(rule) - RULE_FIELDS)}")
            kinds = [kind["kind"] for kind in self.data["kinds"]]
            tails = self.tail(where, rule.get("tail", []))
            fields = [quote(where), str(kinds.index(rule["kind"])), self.pattern(where, rule["match"]),
                      self.pattern(where, rule.get("not_before", self.data["not_before"])),
                      self.pattern(where, rule.get("not_after", self.data["not_after"])),
                      self.pattern(where, rule.get("except")), str(CASES.index(rule.get("case", "any"))),
                      str(CHECKS.index(rule.get("check", "none"))), self.words(where, rule.get("near")),
                      self.words(where, rule.get("far")), "{" + (", ".join(tails) or "{NULL, 0, 0}") + "}",
                      str(len(tails))]
            rows.append("{" + ", ".join(fields) + "}")
        self.table("const struct scrub_rule scrub_rules", rows)

    def table(self, what, rows):
        self.lines.append(f"{what}[] = {{\n\t" + ",\n\t".join(rows) + "\n};")
        name = what.split()[-1]
        self.lines.append(f"const size_t {name}_count = {len(rows)};")

    def write(self, path):
        data = self.data
        self.rules()
        self.table("const struct scrub_kind scrub_kinds",
                   [f"{{{quote(k['kind'])}, {quote(k['en'])}, {quote(k['fr'])}}}" for k in data["kinds"]])
        self.table("const struct scrub_range scrub_drops", [f"{{{int(a, 16)}, {int(b, 16)}}}" for a, b in data["drop"]])
        self.table("const uint32_t scrub_zeros", [str(int(zero, 16)) for zero in data["zeros"]])
        self.table("const struct scrub_map scrub_maps",
                   [f"{{{ord(char)}, {quote(text)}}}" for char, text in sorted(data["map"].items())])
        self.table("const struct scrub_iban scrub_ibans",
                   [f"{{{quote(country.lower())}, {quote(form)}}}" for country, form in sorted(data["iban"].items())])
        self.table("const struct scrub_card scrub_cards",
                   [f"{{{quote(a)}, {quote(b)}, {low}, {high}}}" for a, b, low, high in data["card"]])
        sets = [bits(chars) for chars in self.sets]
        with open(path, "w", encoding="ascii") as file:
            file.write("// Made by make_scrub.py from data/scrub.json.\n#include \"proto/scrub_tables.h\"\n\n")
            file.write("const struct scrub_set scrub_sets[] = {\n\t" + ",\n\t".join(sets) + "\n};\n")
            file.write("\n".join(self.lines) + "\n")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    Output(data).write(sys.argv[2])


if __name__ == "__main__":
    main()
