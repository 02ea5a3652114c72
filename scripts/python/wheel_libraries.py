"""Prints where the libraries inside a repaired wheel come from on this system: wheel_libraries.py WHEEL."""

import pathlib
import re
import subprocess
import sys
import zipfile


def main():
    known = {}
    for line in subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout.splitlines():
        match = re.match(r"\s+(\S+) \(.*x86-64.*\) => (\S+)", line)
        if match:
            known.setdefault(match[1], match[2])
    for name in zipfile.ZipFile(sys.argv[1]).namelist():
        folder, _, file = name.rpartition("/")
        if not folder.endswith(".libs") or ".so" not in file:
            continue
        # auditwheel puts a hash into the name: libjpeg-1b553759.so.62.3.0 is libjpeg.so.62.
        stem, _, version = re.sub(r"-[0-9a-f]{8}(?=\.so)", "", file).partition(".so")
        candidates = [f"{stem}.so{version[:end]}" for end in range(len(version), -1, -1)]
        found = next((known[one] for one in candidates if one in known), None)
        if found is None:
            sys.exit(f"{file} is no library of this system")
        print(pathlib.Path(found))


if __name__ == "__main__":
    main()
