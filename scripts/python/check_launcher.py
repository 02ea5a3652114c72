"""What scripts/check-launcher does."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from processes import events, free_port
from small_images import make_data


class Failed(Exception):
    pass


class Check:
    def __init__(self, executable, work):
        self.executable, self.work = executable, work
        self.wrong = []
        make_data(work / "data", training=512, held_out=256)
        self.shared = ["--network", "resnet20", "--width", "0.5", "--divisor", "2", "--batch-size", "32", "--learning-rate", "0.002",
                       "--dataset", str(work / "data"), "--quiet"]
        self.environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")

    def command(self, processes, words, restarts=0):
        launcher = [sys.executable, "-m", "torch.distributed.run", "--no-python", "--nproc-per-node", str(processes), "--master-port",
                    str(free_port()), "--max-restarts", str(restarts)] if processes > 1 or restarts else []
        return [*launcher, str(self.executable), *words]

    def run(self, processes, *words):
        done = subprocess.run(self.command(processes, words), env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(words)}: exit {done.returncode}: {done.stderr[-2000:]}")

    def start(self, processes, *words, restarts=0):
        return subprocess.Popen(
            self.command(processes, words, restarts), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def workers(self, folder):
        """The processes that work on a folder, without their launcher."""
        found = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True).stdout.split()
        commands = {int(pid): pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in found}
        return [pid for pid, words in commands.items() if "torch.distributed.run" not in words]

    def trainings(self):
        print("| epoch | 1 process | 1 process, 2 threads | 2 processes | 4 processes | 2, own normalization |")
        print("| --- | --- | --- | --- | --- | --- |")
        columns = {}
        # Two threads add up in another order, too: as far as they go apart, rounding alone does.
        for name, processes, more in [("1", 1, ["--threads", "1"]), ("threads", 1, ["--threads", "2"]), ("2", 2, ["--sync-batch-norm"]),
                                      ("4", 4, ["--sync-batch-norm"]), ("2-plain", 2, [])]:
            output = self.work / f"train-{name}"
            self.run(processes, "train", *self.shared, *more, "--epochs", "4", "--output", str(output))
            columns[name] = [(event["trainLoss"], event["loss"]) for event in events(output) if event["event"] == "epoch"]
        for epoch, row in enumerate(zip(*columns.values())):
            print(f"| {epoch + 1} | " + " | ".join(f"{train:.6f}, {held_out:.6f}" for train, held_out in row) + " |", flush=True)
        print("\n(training loss, held-out loss)\n")
        # Later epochs go apart by what rounding grows to.
        first = {name: column[0] for name, column in columns.items()}
        for name in ["threads", "2", "4"]:
            self.expect(max(abs(one - other) for one, other in zip(first["1"], first[name])) < 1e-4, f"first epoch of {name}")

    def expect(self, right, what):
        if not right:
            self.wrong.append(what)

    def searches(self):
        print("| method | group | 1 process | 2 processes |")
        print("| --- | --- | --- | --- |")
        for method in ["dmcp", "autoslim", "morphnet", "network-slimming"]:
            columns = []
            for processes in [1, 2]:
                output = self.work / f"{method}-{processes}"
                self.run(processes, "search", *self.shared, "--sync-batch-norm", "--epochs", "2", "--search-epochs", "2",
                         "--algorithm", method, "--output", str(output))
                columns.append(json.loads((output / "widths.json").read_text())["widths"])
            names = list(columns[0])
            same = sum(columns[0][name] == columns[1][name] for name in names)
            for name in [n for n in names if columns[0][n] != columns[1][n]][:4]:
                print(f"| {method} | {name} | {columns[0][name]} | {columns[1][name]} |")
            print(f"| {method} | {same} of {len(names)} groups equal | {' '.join(str(columns[0][n]) for n in names)} | "
                  f"{' '.join(str(columns[1][n]) for n in names)} |", flush=True)
        print()

    def killed(self):
        words = ["train", *self.shared, "--sync-batch-norm", "--epochs", "30", "--checkpoint-steps", "10"]
        straight = self.work / "straight"
        self.run(2, *words, "--output", str(straight))
        for restarts in [0, 2]:
            output = self.work / f"killed-{restarts}"
            process = self.start(2, *words, "--output", str(output), restarts=restarts)
            while len([event for event in events(output) if event["event"] == "epoch"]) < 5:
                time.sleep(0.05)
            workers = self.workers(output)
            os.kill(max(workers), signal.SIGKILL)
            errors = process.communicate()[1]
            print(f"One of {len(workers)} workers is killed with SIGKILL, --max-restarts {restarts}: torchrun ends with "
                  f"{process.returncode}.")
            named = re.findall(r"^(?:.*)(?:rank +: .*|exitcode +: .*|traceback : .*)$", errors, re.M)
            for line in named[:6]:
                print(f"    {line.strip()}")
            for line in errors.splitlines():
                if "lost the others" in line and "message" not in line:
                    print(f"    {line.strip()}")
                    break
            if restarts == 0:
                saved = [event["step"] for event in events(output) if event["event"] == "checkpoint"][-1]
                self.run(1, *words, "--output", str(output))
                resumed = [event["step"] for event in events(output) if event["event"] == "resume"][-1]
                print(f"The last checkpoint is of step {saved}; one process goes on from step {resumed} and ends.")
                self.expect(resumed == saved, "a training resumed at another step")
            ours, theirs = (json.loads((folder / "result.json").read_text()) for folder in (output, straight))
            equal = (output / "model.safetensors").read_bytes() == (straight / "model.safetensors").read_bytes()
            self.expect(equal or restarts == 0, "weights after a restart by torchrun")
            self.expect(abs(ours["loss"] - theirs["loss"]) < 5e-2, "held-out loss after a resume")
            same = "equal to the byte" if equal else "other by rounding, and what it grew to" if restarts == 0 else "OTHERS"
            print(f"Held-out loss {ours['loss']:.6f}, of an undisturbed training by two {theirs['loss']:.6f}; weights {same}.\n",
                  flush=True)

    def killed_searches(self):
        print("| method | killed after | goes on from | groups as of two undisturbed | the others differ by "
              "| one process from the start beside two |")
        print("| --- | --- | --- | --- | --- | --- |")
        for method in ["dmcp", "autoslim", "morphnet", "network-slimming"]:
            words = ["search", *self.shared, "--sync-batch-norm", "--epochs", "2", "--search-epochs", "6", "--algorithm", method,
                     "--checkpoint-steps", "5"]
            straight, alone, output = (self.work / f"{method}-{name}" for name in ["straight", "alone", "killed"])
            for processes, folder in [(2, straight), (1, alone)]:
                self.run(processes, *words, "--output", str(folder))
            process = self.start(2, *words, "--output", str(output))
            while len([event for event in events(output / "search") if event["event"] == "checkpoint"]) < 4:
                time.sleep(0.05)
            os.kill(max(self.workers(output)), signal.SIGKILL)
            process.communicate()
            saved = [event["step"] for event in events(output / "search") if event["event"] == "checkpoint"][-1]
            self.run(1, *words, "--output", str(output))
            resumed = [event["step"] for event in events(output / "search") if event["event"] == "resume"][-1]
            self.expect(resumed == saved, f"a search by {method} resumed at another step")
            widths = [json.loads((folder / "widths.json").read_text())["widths"] for folder in (straight, output, alone)]
            moved, without = ([abs(other[name] - widths[0][name]) for name in other] for other in widths[1:])
            print(f"| {method} | step {saved} | step {resumed} | {moved.count(0)} of {len(moved)} | at most {max(moved)} channels | "
                  f"{without.count(0)} of {len(without)}, at most {max(without)} |", flush=True)
        print()

    def launchers(self):
        """A training by other launchers than torchrun, where they are installed."""
        words = ["train", *self.shared, "--sync-batch-norm", "--epochs", "3", "--checkpoint-steps", "10"]
        torchrun = self.work / "by-torchrun"
        self.run(2, *words, "--output", str(torchrun))
        environment = dict(self.environment, MASTER_ADDR="127.0.0.1")
        found = [("mpirun", ["mpirun", "--allow-run-as-root", "--oversubscribe", "-x", "MASTER_ADDR", "-n", "2"]),
                 ("srun", ["srun", "--ntasks", "2"])]
        for name, launcher in found:
            if not shutil.which(name):
                print(f"{name} is not installed, and not tried.")
                continue
            output, killed = (self.work / f"by-{name}{which}" for which in ["", "-killed"])
            begin = [*launcher, str(self.executable), *words]
            done = subprocess.run([*begin, "--output", str(output)], env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"{name}: exit {done.returncode}: {done.stderr[-2000:]}")
            equal = (output / "model.safetensors").read_bytes() == (torchrun / "model.safetensors").read_bytes()
            process = subprocess.Popen([*begin, "--epochs", "30", "--output", str(killed)], env=environment,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not [event for event in events(killed) if event["event"] == "checkpoint"]:
                time.sleep(0.05)
            engines = [pid for pid in self.workers(killed) if not self.is_launcher(pid, name)]
            os.kill(max(engines), signal.SIGKILL)
            errors = process.communicate()[1]
            said = [line for line in errors.splitlines() if "lost the others" in line]
            self.expect(equal, f"weights by {name}")
            self.expect(process.returncode != 0, f"a killed worker under {name}")
            same = "equal to the byte to" if equal else "OTHER than"
            print(f"{name}: two processes, weights {same} those of torchrun. One is killed: it ends with {process.returncode}"
                  f"{': ' + said[0].strip() if said else ''}", flush=True)

    @staticmethod
    def is_launcher(pid, name):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].endswith(name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="check-launcher-") as folder:
        check = Check(options.executable, pathlib.Path(folder))
        check.trainings()
        check.searches()
        check.killed()
        check.killed_searches()
        check.launchers()
        if check.wrong:
            raise Failed(f"not as it must be: {'; '.join(check.wrong)}")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"check-launcher: {failure}")
