"""The gateway with one and with two reactors: is a request as cheap, are connections spread?"""

import os
from pathlib import Path

from stage import Stage
from workloads import WORKLOADS, Hall

TRIALS = 20
WORK = ["unary", "paced20"]

# Two processors for two reactors. With no more than these the load shares them, for one reactor
# as for two.
GATEWAY_CPUS = "0,1"
OTHER_CPUS = ("2", "3") if (os.cpu_count() or 1) > 3 else (GATEWAY_CPUS, GATEWAY_CPUS)


def reactor_nanoseconds(pid):
    """CPU time of each reactor's thread, in the order of their names."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("reactor-"):
            times[name] = int((task / "schedstat").read_text().split()[0])
    return [times[name] for name in sorted(times)]


def is_spread(hall, gateway):
    """Did both reactors work for two connections? Each did at least a quarter."""
    before = reactor_nanoseconds(gateway.pid)
    WORKLOADS["two-connections"].send(hall, gateway, 2_000)
    used = [b - a for a, b in zip(before, reactor_nanoseconds(gateway.pid))]
    return len(used) == 2 and min(used) * 4 >= sum(used)


def compare_reactors(binary, repetitions, say):
    with Stage() as stage:
        model_server = stage.model_server(cpu=OTHER_CPUS[0])
        hall = Hall(stage, model_server, load_cpu=OTHER_CPUS[1])
        gateways = {
            count: stage.gateway(
                model_server.port, binary, f"joulegate-{count}", threads=count, cpu=GATEWAY_CPUS)
            for count in (1, 2)}
        result = {"work": {}, "trials": TRIALS}
        for name in WORK:
            workload = WORKLOADS[name]
            say(f"scaling, {name}: {workload.title}")
            amounts = {c: workload.prepare(hall, gateway) for c, gateway in gateways.items()}
            runs = {count: [] for count in gateways}
            for repetition in range(repetitions):
                for count in (1, 2) if repetition % 2 == 0 else (2, 1):
                    runs[count].append(workload.run(hall, gateways[count], amounts[count]))
            for count, of_count in runs.items():
                values = [run[workload.figure] for run in of_count]
                say(f"  {count} reactors {', '.join(f'{value:.2f}' for value in values)}")
            result["work"][name] = {str(count): of_count for count, of_count in runs.items()}
        result["spread"] = sum(is_spread(hall, gateways[2]) for _ in range(TRIALS))
        return result
