"""What lies inside a repaired wheel: wheel_libraries.py WHEEL SWIFT prints where its libraries come from on this system,
wheel_libraries.py --run-paths WHEEL fails when one of its files looks for libraries outside of it."""

import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import zipfile


def sources(wheel, swift):
    known = {}
    machine = {"x86_64": "x86-64", "aarch64": "AArch64"}.get(platform.machine(), "")
    for line in subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout.splitlines():
        match = re.match(rf"\s+(\S+) \(.*{machine}.*\) => (\S+)", line)
        if match:
            known.setdefault(match[1], match[2])
    for path in pathlib.Path(swift).glob("*.so"):
        known[path.name] = str(path)
    for name in zipfile.ZipFile(wheel).namelist():
        folder, _, file = name.rpartition("/")
        if not folder.endswith(".libs") or ".so" not in file:
            continue
        # auditwheel puts a hash before the first point: liblber-2-64f183c1.5.so.0.1.8 is liblber-2.5.so.0.
        stem, _, version = re.sub(r"-[0-9a-f]{8}(?=\.)", "", file, count=1).partition(".so")
        candidates = [f"{stem}.so{version[:end]}" for end in range(len(version), -1, -1)]
        found = next((known[one] for one in candidates if one in known), None)
        if found is None:
            sys.exit(f"wheel: {file} is no library of this system")
        print(found)


def run_paths(wheel):
    with tempfile.TemporaryDirectory() as place:
        zipfile.ZipFile(wheel).extractall(place)
        for path in pathlib.Path(place).rglob("*"):
            if not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
                continue
            told = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
            for folders in re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", told):
                if any(folder and not folder.startswith("$ORIGIN") for folder in folders.split(":")):
                    sys.exit(f"wheel: {path.name} looks for libraries in {folders}")


if __name__ == "__main__":
    if sys.argv[1] == "--run-paths":
        run_paths(sys.argv[2])
    else:
        sources(sys.argv[1], sys.argv[2])
