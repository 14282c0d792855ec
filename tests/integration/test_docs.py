#!/usr/bin/env python3
"""What the programs can do is what their pages say: commands, flags, links, and examples that are JSON."""
import json
import re
import subprocess

from oyez_test import SOURCE, clean_environment, main, oyez_path, oyezd_path

REFERENCE = (SOURCE / "clients" / "README.md").read_text()
MAN_OYEZ = (SOURCE / "clients" / "cli" / "oyez.1.scd").read_text()
MAN_OYEZD = (SOURCE / "broker" / "oyezd.8.scd").read_text()


def output(*command, language="C.UTF-8"):
    done = subprocess.run([str(word) for word in command], env=clean_environment(LC_ALL=language), capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0, done
    return done.stdout


def commands():
    """The words of every command that works in this version."""
    lines = re.findall(r"^  oyez ((?:[a-z-]+ )*[a-z-]+)  +(.*)$", output(oyez_path(), "help"), re.M)
    assert len(lines) > 30, lines
    return [words for words, summary in lines if "not in this version" not in summary]


def test_every_command_is_in_the_reference_and_the_man_page():
    # "oyez wallet backup" may stand as "oyez wallet init | backup FILE".
    def in_reference(words):
        *group, last = words.split()
        headings = re.findall(" ".join(["oyez", *group]) + r" [^\n`]*", REFERENCE)
        return any(re.search(rf"(?<![\w-]){re.escape(last)}(?![\w-])", heading) for heading in headings)

    missing = [words for words in commands() if not in_reference(words)]
    assert not missing, f"clients/README.md does not name: {missing}"
    missing = [words for words in commands() if not re.search(rf"^\*.*\*{re.escape(words)}\*|^\*{re.escape(words)}\*", MAN_OYEZ, re.M)]
    assert not missing, f"oyez.1.scd does not name: {missing}"


def test_every_command_has_help_in_both_languages():
    for words in commands():
        english = output(oyez_path(), "help", *words.split())
        assert f"oyez {words}" in english, english
    assert output(oyez_path(), "help", language="fr_FR.UTF-8") != output(oyez_path(), "help")


def test_every_flag_of_oyezd_is_in_its_man_page():
    flags = set(re.findall(r"--[a-z][a-z-]+", output(oyezd_path(), "--help")))
    assert len(flags) >= 10, flags
    missing = [flag for flag in flags if flag not in MAN_OYEZD]
    assert not missing, missing


def test_examples_are_json():
    examples = [line for block in re.findall(r"```json\n(.*?)```", REFERENCE, re.S) for line in block.splitlines() if line]
    assert len(examples) > 20, len(examples)
    for example in examples:
        assert isinstance(json.loads(example), dict), example


def test_links_lead_somewhere():
    for page in SOURCE.rglob("*.md"):
        if any(part.startswith(("build", ".")) for part in page.relative_to(SOURCE).parts):
            continue
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(SOURCE)} links to {target}, which is not there"


if __name__ == "__main__":
    main(globals())
