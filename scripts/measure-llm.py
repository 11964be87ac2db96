#!/usr/bin/env python3
"""How long one decode step of a llama-server takes with 1, 2 and 4 requests in parallel, and how
fast it reads a prompt: the `knots` and `prefill` of a profile. Standard library only.

    scripts/measure-llm.py http://127.0.0.1:8131 [--pid PID] [--repeat 5]

A step's time is the median gap between the tokens of a stream while all streams run. With --pid
also the server's CPU time per step, which other programs on the machine disturb less.
"""
import argparse
import json
import os
import statistics
import threading
import time
import urllib.request

TOKENS = 96
WORDS = "the quick brown fox jumps over the lazy dog and runs home before the rain begins "


def post(url, body):
    request = urllib.request.Request(
        url + "/v1/chat/completions", json.dumps(body).encode(),
        {"content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=300)


def body(text, tokens, **more):
    return {"messages": [{"role": "user", "content": text}], "max_tokens": tokens,
            "ignore_eos": True, "cache_prompt": False, **more}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def steps(url):
    page = urllib.request.urlopen(url + "/metrics", timeout=60).read().decode()
    for line in page.splitlines():
        if line.startswith("llamacpp:n_decode_total "):
            return float(line.split()[1])
    return 0.0


def stream(url, index, times):
    with post(url, body(f"Story {index}, long:", TOKENS, stream=True)) as answer:
        for line in answer:
            if line.startswith(b"data: {") and b'"content":"' in line:
                times.append(time.monotonic())


def gaps(url, parallel):
    times = [[] for _ in range(parallel)]
    threads = [threading.Thread(target=stream, args=(url, i, times[i])) for i in range(parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, last = max(t[0] for t in times), min(t[-1] for t in times)
    return [b - a for t in times for a, b in zip(t, t[1:]) if a >= first and b <= last]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    gaps(options.url, 1)
    for parallel in (1, 2, 4):
        medians, cpu = [], []
        for _ in range(options.repeat):
            steps_before = steps(options.url)
            cpu_before = cpu_seconds(options.pid) if options.pid else 0
            medians.append(statistics.median(gaps(options.url, parallel)))
            if options.pid:
                used = cpu_seconds(options.pid) - cpu_before
                cpu.append(used / max(1, steps(options.url) - steps_before))
        line = f"batch {parallel}: step seconds " + " ".join(f"{m:.4f}" for m in medians)
        print(line + f", lowest {min(medians):.4f}", end="")
        print(f", CPU seconds per step lowest {min(cpu):.4f}" if cpu else "")
    rates = []
    for _ in range(options.repeat):
        with post(options.url, body(WORDS * 20, 1)) as answer:
            timings = json.load(answer)["timings"]
        rates.append(1000 * timings["prompt_n"] / timings["prompt_ms"])
    print("prefill tokens per second", " ".join(f"{r:.0f}" for r in rates),
          f"highest {max(rates):.0f}, prompt of {timings['prompt_n']} tokens")


if __name__ == "__main__":
    main()
