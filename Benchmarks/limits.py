"""What the time of a training step goes to, for the networks of the table.

Convolutions and matrix products are bound by arithmetic. Other operations are bound by memory: beside the time that they take stands
what their bytes would take at the bandwidth that this machine has for adding one array of 128 MB to another, with as many threads.
The rest is what every operation costs however small it is: its call, the graph, allocation.
"""

import argparse
import json
import os
import subprocess

from compare import CASES, name_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--plain", action="store_true", help="compute every layer by itself")
    parser.add_argument("networks", nargs="*")
    options = parser.parse_args()
    print(f"{options.threads} threads, milliseconds a step. GMAC/s: of the convolutions, three passes.")
    print(f"{'network':<20}{'images':>9}{'step':>8}{'convolutions':>18}{'GMAC/s':>8}{'other passes':>18}{'at bandwidth':>14}{'rest':>14}"
          f"{'calls':>7}{'GB/s':>6}  longest of the passes", flush=True)
    for case in CASES:
        network, width, stages, resolution, batch_size = case
        if options.networks and network not in options.networks:
            continue
        words = ["--network", network, "--width", str(width), "--resolution", str(resolution), "--batch-size", str(batch_size),
                 "--iterations", str(options.iterations), "--threads", str(options.threads), "--limits"]
        words += ["--stages", stages] if stages else []
        words += ["--classes", "10"] if network == "resnet20" else []
        words += ["--plain"] if options.plain else []
        output = subprocess.run([options.executable, "benchmark", *words], check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(output)
        whole = found["measuredTotal"]

        def share(key):
            return f"{found[key]:.1f} ({100 * found[key] / whole:.0f} %)"

        longest = sorted(found["longest"].items(), key=lambda item: -item[1])[:3]
        named = ", ".join(f"{name.split('::')[-1]} {time:.1f}" for name, time in longest)
        print(f"{name_of(case)}{found['total']:>8.1f}{share('convolutions'):>18}{found['gigaMACs']:>8.1f}"
              f"{share('passes'):>18}{found['passesAtBandwidth']:>14.1f}{share('rest'):>14}{found['calls']:>7.0f}"
              f"{found['bandwidth']:>6.0f}  {named}", flush=True)


if __name__ == "__main__":
    main()
