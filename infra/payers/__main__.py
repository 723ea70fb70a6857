"""Runs the simulated payers alone: `python -m infra.payers`. PORT is the port on loopback; default 8470."""

import os
import time

from infra.payers.server import run_simulator


def main() -> None:
    """Run until a signal."""
    with run_simulator(int(os.environ.get("PORT") or "8470")) as simulator:
        print(f"Simulated payers: {simulator.url}/core and {simulator.url}/json", flush=True)
        while True:
            time.sleep(3_600)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Stopped.")
