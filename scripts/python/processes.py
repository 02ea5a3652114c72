"""Starts a command as a launcher does: so many processes at once that know each other by torch.distributed's variables."""

import json
import os
import socket
import subprocess


def free_port(address="127.0.0.1"):
    with socket.socket() as one:
        one.bind((address, 0))
        return one.getsockname()[1]


def environment(rank, count, port, address="127.0.0.1", threads=1, attempt=0):
    """The variables of one process of several; those of this one where there is only one."""
    variables = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive")
    if count > 1:
        variables |= {
            "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": address, "MASTER_PORT": str(port), "TORCHELASTIC_RESTART_COUNT": str(attempt)}
    return variables


def events(folder):
    """What the log of a run folder tells so far; a line that is just being written is left out."""
    log = folder / "events.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def seconds_a_step(folder):
    """Between the ends of the first epoch, which warms up, and of the last."""
    epochs = [event for event in events(folder) if event["event"] == "epoch"]
    return (epochs[-1]["time"] - epochs[0]["time"]) / (epochs[-1]["step"] - epochs[0]["step"])


class Processes:
    """The processes of one command; the first is the one that speaks and keeps the files."""

    def __init__(self, command, count=1, threads=1):
        port = free_port() if count > 1 else 0
        self.all = [
            subprocess.Popen(
                command, env=environment(rank, count, port, threads=threads), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for rank in range(count)]

    def wait(self, seconds=None):
        """Waits for the first; raises subprocess.TimeoutExpired after so many seconds."""
        self.all[0].wait(seconds)

    def signal(self, number, rank=0):
        self.all[rank].send_signal(number)

    def end(self):
        """Exit code, standard output and standard error of each."""
        texts = [process.communicate() for process in self.all]
        return [(process.returncode, *text) for process, text in zip(self.all, texts)]
