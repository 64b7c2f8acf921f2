#!/usr/bin/env python3
"""Prints whose work is in the program, and the licences that it is under, as one text.

What it looks at is what was built from: the crates that cargo resolved for this platform, with the C libraries
that some of them carry, and the packages of the web app. A crate that carries no text is listed with the name of
its licence. It fails where the licence of something is not known at all.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = re.compile(r"(un)?licen[cs]e|copying|notice|ofl", re.IGNORECASE)
# A C library lies within its crate, never deeper than this.
DEPTH = 3


def crates():
    """Name, version, licence and folder of each crate in the program."""
    platform = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    platform = re.search(r"^host: (\S+)", platform, re.MULTILINE).group(1)
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", platform]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    metadata = json.loads(said)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [key for key, package in packages.items() if package["name"] == "heirloom-cli"]
    found = set()
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        for dependency in nodes[key]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    for package in (packages[key] for key in found):
        if package["source"] is not None:
            folder = Path(package["manifest_path"]).parent
            yield package["name"], package["version"], package["license"], folder


def web_packages():
    """Name, version, licence and folder of each package that the web app's sources name, or these need."""
    modules = ROOT / "web/node_modules"
    if not modules.is_dir():
        sys.exit("web/node_modules is missing: build the web app first")
    named = {"svelte", "@sveltejs/kit"}
    for source in (ROOT / "web/src").rglob("*"):
        if source.suffix in {".svelte", ".ts", ".js", ".css"}:
            words = re.findall(r"""(?:from|import\(?|url\()\s*['"]([^'"]+)['"]""", source.read_text())
            named.update(words)
    waiting = []
    for word in (word for word in named if word[0] not in ".$"):
        parts = word.split("/")
        waiting.append("/".join(parts[:2]) if word.startswith("@") else parts[0])
    found = set()
    while waiting:
        name = waiting.pop()
        file = modules / name / "package.json"
        if name in found or not file.is_file():
            continue
        found.add(name)
        package = json.loads(file.read_text())
        waiting.extend(package.get("dependencies", {}))
        yield name, package["version"], package.get("license"), file.parent


def texts(folder):
    """The texts of licences in a folder, with the folder that each is in."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_deep = len(inside.parts) > DEPTH or "node_modules" in inside.parts or "tests" in inside.parts
        is_code = path.suffix in {".rs", ".c", ".h", ".js", ".ts", ".py", ".svg", ".json"}
        if TEXT.match(path.name) and path.is_file() and not is_deep and not is_code:
            yield str(inside.parent), path.read_text(errors="replace").strip()


def from_read_me(folder):
    """What a package that has no such file says of its licence where it describes itself."""
    for path in sorted(folder.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*")):
        found = re.search(r"^#+ *licen[cs]e\b.*", path.read_text(), re.IGNORECASE | re.MULTILINE | re.DOTALL)
        if found:
            yield ".", found.group().strip()


def main():
    listed, by_text, users = [], {}, {}
    for name, version, licence, folder in sorted({*crates(), *web_packages()}, key=str):
        own = list(texts(folder)) or list(from_read_me(folder))
        if not licence and not own:
            sys.exit(f"nothing says under which licence {name} {version} is")
        listed.append(f"{name} {version}: {licence or 'see its text'}")
        for place, text in own:
            part = f"{name} {version}" + ("" if place == "." else f" ({place})")
            key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
            by_text.setdefault(key, text)
            if part not in users.setdefault(key, []):
                users[key].append(part)
    print("The program contains the work of others, listed here with the licences that it is under.")
    print()
    print("Names of places: from GeoNames (geonames.org), under the Creative Commons Attribution 4.0")
    print("International licence (CC BY 4.0); columns were left out, positions were rounded, and quarters")
    print("were given the name of their town. Names of countries: Unicode CLDR, under Unicode-3.0.")
    print()
    print("\n".join(listed))
    for key, parts in sorted(users.items(), key=lambda entry: entry[1]):
        print()
        print("-" * 80)
        print("\n".join(parts))
        print("-" * 80)
        print()
        print(by_text[key])


main()
