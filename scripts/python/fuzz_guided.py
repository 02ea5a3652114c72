"""Runs libFuzzer on one kind of files after the other, two at once; scripts/fuzz --guided calls it."""

import argparse
import concurrent.futures
import io
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile


def run(program, corpus, place, kind, seconds):
    """Fuzzes one kind, and says what came of it in a line."""
    found = place / "found" / kind
    found.mkdir(parents=True, exist_ok=True)
    log = place / f"{kind}.log"
    words = [program, "--corpus", corpus, "--guided", kind, "--", found, place / "sound" / kind, f"-max_total_time={seconds}",
             "-timeout=20", "-rss_limit_mb=3000", "-max_len=200000", "-print_final_stats=1", f"-artifact_prefix={place}/{kind}-"]
    with open(log, "wb") as file:
        code = subprocess.run([str(word) for word in words], stdout=file, stderr=subprocess.STDOUT).returncode
    text = log.read_text(errors="replace")

    def statistic(name):
        values = re.findall(rf"^stat::{name}: *(\d+)", text, re.MULTILINE)
        return int(values[-1]) if values else 0

    branches = re.findall(r"cov: (\d+)", text)
    print(f"{kind}: {statistic('number_of_executed_units'):,} inputs, {int(branches[-1]) if branches else 0:,} branches, "
          f"at most {statistic('peak_rss_mb')} MB, slowest {statistic('slowest_unit_time_sec')} s"
          + (f"; broken, see {log}" if code else ""), flush=True)
    return statistic("number_of_executed_units"), code


def keep(program, corpus, place, kinds, archive):
    """Packs the fewest of all inputs that together reach what all reach, with the sound files that they were, for the tests."""
    files = {f"sound/{path.relative_to(corpus)}": path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    # What an image is called says nothing: one stands for all.
    images = sorted(name for name in files if name.startswith("sound/images/"))
    for name in images[1:]:
        del files[name]
    for kind in kinds:
        (place / "found" / kind).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as fewest:
            words = [program, "--corpus", corpus, "--guided", kind, "--", "-merge=1", "-timeout=20", "-rss_limit_mb=3000", fewest,
                     place / "sound" / kind, place / "found" / kind]
            subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            chosen = sorted(pathlib.Path(fewest).iterdir())
            files.update((f"inputs/{kind}/{number:04}", path.read_bytes()) for number, path in enumerate(chosen))
            print(f"{kind}: {len(chosen)} inputs are kept", flush=True)
    with tarfile.open(archive, "w:xz", preset=9) as file:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--place", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--kinds", required=True)
    parser.add_argument("--keep", help="pack what was found into this archive instead")
    options = parser.parse_args()
    options.place.mkdir(parents=True, exist_ok=True)
    subprocess.run([options.program, "--corpus", options.corpus, "--seeds", str(options.place / "sound")], check=True)
    if options.keep:
        keep(options.program, pathlib.Path(options.corpus), options.place, options.kinds.split(","), options.keep)
        return 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda kind: run(options.program, options.corpus, options.place, kind, options.seconds),
                                options.kinds.split(",")))
    print(f"{sum(count for count, _ in results):,} inputs; {sum(code != 0 for _, code in results)} kinds are broken")
    return 1 if any(code for _, code in results) else 0


if __name__ == "__main__":
    sys.exit(main())
