"""The steps of the Dockerfile in folders of debootstrap: what scripts/check-dockerfile runs, in a mount namespace of its own."""

import argparse
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import time

from dockerfile_parse import DockerfileParser
from PIL import Image

# What the image swift:… has beside Debian and the toolchain.
OF_THE_SWIFT_IMAGE = (
    "binutils git gnupg2 libc6-dev libcurl4-openssl-dev libedit2 libgcc-12-dev libncurses-dev libpython3-dev libsqlite3-0 "
    "libstdc++-12-dev libxml2-dev libz3-dev pkg-config tzdata zlib1g-dev"
).split()


class Stage:
    """One `FROM`: a folder, and what the instructions before have set."""

    def __init__(self, folder, shared, passed):
        self.folder = folder
        self.shell = ["/bin/sh", "-c"]
        self.variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"} | passed
        self.place = "/"
        self.user = "0"
        self.shared = shared
        self.command = []

    def inside(self, path):
        return self.folder / str(pathlib.PurePosixPath("/", self.place, path)).lstrip("/")

    def begin(self, image):
        suite = re.search(r"bookworm|trixie", image)
        if suite is None:
            sys.exit(f"check-dockerfile: which release of Debian {image} stands on is not known")
        run(["debootstrap", "--variant=minbase", suite[0], self.folder])
        # The security updates that the images have, from where this machine takes them, and whom it trusts.
        if os.path.isdir("/etc/apt/sources.list.d"):
            (self.folder / "etc/apt/sources.list").unlink(missing_ok=True)
        for path in ["/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/ssl/certs", "/usr/local/share/ca-certificates"]:
            if os.path.isdir(path):
                shutil.copytree(path, self.inside(path), symlinks=True, dirs_exist_ok=True)
            elif os.path.exists(path):
                shutil.copy2(path, self.inside(path))
        self.shared = [*self.shared, "/etc/resolv.conf"]
        for name in ["proc", "dev", "sys"]:
            run(["mount", "--rbind", f"/{name}", self.folder / name])
        for path in self.shared:
            self.show(path)
        if image.startswith("swift:"):
            toolchain = pathlib.Path(shutil.which("swift")).resolve().parents[2]
            self.show(str(toolchain))
            self.variables["PATH"] += f":{toolchain}/usr/bin"
            install = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
            self.run(f"apt-get update && {install} {' '.join(OF_THE_SWIFT_IMAGE)}")

    def show(self, path):
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(path):
            target.mkdir(exist_ok=True)
        elif not target.is_symlink():
            target.touch()
        else:
            target.unlink()
            target.touch()
        run(["mount", "--bind", "-o", "ro", path, target])

    def expanded(self, text):
        return re.sub(r"\$\{?(\w+)\}?", lambda match: self.variables.get(match[1], ""), text)

    def arguments(self, words):
        settings = [f"{name}={value}" for name, value in self.variables.items()]
        chroot = ["chroot", f"--userspec={self.user}:{self.user}", self.folder]
        return [*chroot, "env", "-i", *settings, "sh", "-c", 'cd "$0" && exec "$@"', self.place, *words]

    def run(self, text):
        run(self.arguments([*self.shell, text]))


def run(words, **options):
    subprocess.run([str(word) for word in words], check=True, **options)


def words_of(value):
    """`["a", "b"]` as Docker reads it, or words of a shell."""
    return [word.strip(",") for word in shlex.split(value.strip()[1:-1])] if value.strip().startswith("[") else shlex.split(value)


def copied(stage, stages, context, value):
    words = shlex.split(value)
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].folder
    *sources, target = words
    for one in sources:
        found = source / one.lstrip("/")
        destination = stage.inside(target)
        if found.is_dir():
            shutil.copytree(found, destination, symlinks=True, dirs_exist_ok=True)
        else:
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, destination)


def context_of(folder):
    """What git tracks, as `docker build .` of a clean clone would send it, less what .dockerignore names."""
    ignored = [line.strip() for line in open(".dockerignore") if line.strip() and not line.startswith("#")]
    folder.mkdir(parents=True)
    for name in subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout.split("\0"):
        if not name or any(pathlib.PurePath(name.split("/")[0]).match(pattern) for pattern in ignored):
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, folder / name, follow_symlinks=False)
    return folder


def used(stage, folder):
    """The entry point as its user, on a few photographs that are noise of two brightnesses."""
    dice = random.Random(1)
    for part, count in [("train", 40), ("val", 8)]:
        for kind, bright in [("day", 160), ("night", 40)]:
            place = folder / part / kind
            place.mkdir(parents=True)
            for number in range(count):
                pixels = bytes(bright + dice.randrange(60) for _ in range(32 * 32 * 3))
                Image.frombytes("RGB", (32, 32), pixels).save(place / f"{number}.png")
    work = stage.inside(".")
    work.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, work / "photos")
    run(["chown", "-R", f"{stage.user}:{stage.user}", work])
    job = "run --network resnet20 --width 0.25 --dataset photos --project width=0.5 --search-epochs 1 --epochs 1 --output first"
    for line in ["--version", "inspect resnet20", job]:
        start = time.monotonic()
        run(stage.arguments([*stage.command, *line.split()]))
        print(f"check-dockerfile: width-transfer {line}: {time.monotonic() - start:.1f} s", flush=True)
    report = work / "first" / "report.html"
    if not report.is_file() or report.stat().st_size < 100_000:
        sys.exit(f"check-dockerfile: {report} is not there, or is no report")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--share", action="append", default=[])
    parser.add_argument("--environment", action="append", default=[])
    parser.add_argument("--context", type=pathlib.Path)
    parser.add_argument("--then")
    options = parser.parse_args()
    folder = options.folder
    shutil.rmtree(folder / "context", ignore_errors=True)
    context = options.context or context_of(folder / "context")
    passed = {name: os.environ[name] for name in options.environment if name in os.environ}
    stages, stage = {}, None
    for step in DockerfileParser(str((options.context or pathlib.Path()) / "Dockerfile"), cache_content=True).structure:
        kind, value = step["instruction"], step["value"]
        if kind in ("COMMENT", "ARG", "CMD", "LABEL"):
            continue
        print(f"check-dockerfile: {kind} {value[:120]}", flush=True)
        if kind == "FROM":
            image, _, name = value.partition(" AS ")
            name = name.strip() or "last"
            shutil.rmtree(folder / f"stage-{name}", ignore_errors=True)
            stage = stages[name] = Stage(folder / f"stage-{name}", options.share, passed)
            stage.begin(image.strip())
        elif kind == "SHELL":
            stage.shell = words_of(value)
        elif kind == "ENV":
            name, _, rest = value.partition("=")
            stage.variables[name] = stage.expanded(rest.strip('"'))
        elif kind == "WORKDIR":
            stage.place = value
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        elif kind == "USER":
            stage.user = value.strip()
        elif kind == "COPY":
            copied(stage, stages, context, value)
        elif kind == "RUN":
            stage.run(value)
        elif kind == "ENTRYPOINT":
            stage.command = words_of(value)
        else:
            sys.exit(f"check-dockerfile: the instruction {kind} is not known here")
    shutil.rmtree(folder / "photos", ignore_errors=True)
    used(stage, folder / "photos")
    if options.then:
        stage.user = "0"
        run(stage.arguments(["/bin/sh", "-c", options.then]))


if __name__ == "__main__":
    main()
