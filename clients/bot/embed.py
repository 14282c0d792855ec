#!/usr/bin/env python3
"""Puts the sample bots into the program, for `oyez bot init`: embed.py OUT FILE..."""
import pathlib
import sys

out, *files = map(pathlib.Path, sys.argv[1:])
lines = ['// Made by clients/bot/embed.py from the sample bots.', '#include "clients/bot/bot_sample.h"', ""]
for number, file in enumerate(files):
    lines.append(f"static const unsigned char file_{number}[] = {{")
    data = file.read_bytes()
    lines += ["\t" + "".join(f"{byte}," for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    lines.append("};")
lines.append("const struct bot_sample bot_samples[] = {")
lines += [f'\t{{"{file.name}", file_{number}, sizeof(file_{number})}},' for number, file in enumerate(files)]
lines.append("\t{0, 0, 0},\n};")
out.write_text("\n".join(lines) + "\n")
