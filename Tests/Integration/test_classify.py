"""Classification through the gateway in front of emulated classifiers: batches, deadlines,
failures, and the answers that callers get whatever becomes of a batch."""

import concurrent.futures
import hashlib
import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import openai
import pytest

import processes

PROFILE = "atom-ca22-bert-assumed"
SPAM = "FREE prize, claim now"
HAM = "see you at lunch"


def model(**more):
    batching = {"max_batch_size": 64, "max_queue_delay_microseconds": 2000,
                **more.pop("batching", {})}
    return {
        "name": "spam", "task": "classify", "dynamic_batching": batching,
        "classification": {
            "version": "v7", "labels": ["ham", "spam"], "positive_label": "spam",
            "threshold": 0.6, **more}}


def start(bench, emulators, *, tenants=None, threads=2, log_level="info", **more):
    members = {"models": [model(**more)], "threads": threads, "policy": "energy_aware",
               "log_level": log_level}
    if tenants:
        members["tenants"] = tenants
    pool = {"engine": "vllm-rbln", "profile": PROFILE,
            "endpoints": [{"url": emulator.url} for emulator in emulators],
            "models": [{"name": "spam", "upstream": "bert"}]}
    return bench.gateway(pool, **members)


def emulators(bench, count=1, *more):
    return [bench.emulator("vllm-rbln", PROFILE, *more, model="bert") for _ in range(count)]


def post(gateway, body, path="/v1/classify", timeout=20, **headers):
    request = urllib.request.Request(
        f"http://127.0.0.1:{gateway.port}{path}", data=json.dumps(body).encode(),
        headers={"content-type": "application/json",
                 **{key.replace("_", "-"): value for key, value in headers.items()}})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def labels(answer):
    assert [entry["index"] for entry in answer["data"]] == list(range(len(answer["data"])))
    return [entry["label"] for entry in answer["data"]]


@pytest.fixture(scope="module")
def plain(shared):
    return start(shared, emulators(shared, 2))


@pytest.mark.parametrize("path", ["/classify", "/v1/classify"])
def test_one_text_gets_one_verdict(plain, path):
    status, answer = post(plain, {"model": "spam", "input": SPAM}, path)
    assert status == 200
    assert answer["object"] == "list" and answer["model"] == "spam"
    entry, = answer["data"]
    assert entry["label"] == "spam" and entry["num_classes"] == 2
    assert entry["probs"][1] > 0.9
    assert (entry["version"], entry["threshold"], entry["stage"]) == ("v7", 0.6, "accelerator")
    # The emulator counts a token for each four bytes.
    assert answer["usage"]["prompt_tokens"] == -(-len(SPAM) // 4)


def test_lists_keep_their_order_and_their_escapes(plain):
    texts = [HAM, SPAM, "", "무료 당첨 \u0000 \"quoted\" \\ 😀", "free"]
    status, answer = post(plain, {"input": texts})
    assert status == 200
    # One telltale word alone is a probability of one half, below the threshold.
    assert labels(answer) == ["ham", "spam", "ham", "spam", "ham"]


def test_messages_are_one_text(plain):
    status, answer = post(plain, {"messages": [
        {"role": "system", "content": "win"},
        {"role": "user", "content": [{"type": "text", "text": "cash"}]}]})
    assert (status, labels(answer)) == (200, ["spam"])


def test_long_lists_are_split_over_batches_and_endpoints(plain):
    before = [worker["dispatched"] for worker in plain.workers()]
    texts = [SPAM if number % 3 == 0 else HAM for number in range(1000)]
    status, answer = post(plain, {"input": texts})
    assert status == 200
    assert labels(answer) == ["spam" if number % 3 == 0 else "ham" for number in range(1000)]
    counts = [after["dispatched"] - old for after, old in zip(plain.workers(), before)]
    assert all(count > 0 for count in counts)
    assert 16 <= sum(counts) <= 22


def test_single_messages_share_batches(bench):
    # A pass takes 16 ms at least: longer than 64 clients need to come.
    gateway = start(bench, emulators(bench, 1, "--time-factor", "10"))
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(
            lambda number: post(gateway, {"input": SPAM if number % 2 else HAM}), range(640)))
    assert all(status == 200 for status, _ in answers)
    assert [labels(answer)[0] for _, answer in answers] == ["ham", "spam"] * 320
    assert sum(worker["dispatched"] for worker in gateway.workers()) < 320


def test_token_identifiers_go_upstream_as_they_are(plain):
    status, answer = post(plain, {"model": "spam", "input": [[1, 2], [3]]})
    assert status == 200 and len(answer["data"]) == 2
    # Nobody but the model server had a part in this.
    assert "stage" not in answer["data"][0]


def test_options_for_the_model_go_upstream_alone(plain):
    status, answer = post(plain, {"input": SPAM, "truncate_prompt_tokens": 8})
    assert status == 200 and "stage" not in answer["data"][0]


def test_decisions_map_onto_the_classifier(plain):
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{plain.port}/v1", api_key="none")
    decision = client.decisions.create(model="spam", input=SPAM, questions=[
        {"type": "predicate", "name": "is_spam", "instructions": "Is this spam?"},
        {"type": "choice", "instructions": "What is it?", "choices": [
            {"value": "spam", "description": "spam"}, {"value": "ham", "description": "ham"}]}])
    predicate, choice = decision.answers
    assert predicate.type == "predicate" and predicate.name == "is_spam"
    assert predicate.probability > 0.9
    assert choice.choice == "spam" and choice.confidence == predicate.probability
    assert decision.usage.input_tokens == -(-len(SPAM) // 4)


@pytest.mark.parametrize("question", [
    {"type": "score", "levels": []},
    {"type": "choice", "choices": [{"value": "spam"}, {"value": "newsletter"}]},
    {"type": "choice", "choices": []}, {}, "spam?"])
def test_questions_that_no_classifier_answers_are_400(plain, question):
    status, answer = post(
        plain, {"model": "spam", "input": SPAM, "questions": [question]}, "/v1/decisions")
    assert status == 400 and "questions[0]" in answer["error"]["param"]


def test_more_texts_than_allowed_are_400(plain):
    status, answer = post(plain, {"input": ["x"] * 4097})
    assert status == 400 and answer["error"]["param"] == "input"


def test_no_verdict_in_time_is_undecided(bench):
    gateway = start(bench, emulators(bench, 1, "--time-factor", "2000"))
    begin = time.monotonic()
    status, answer = post(gateway, {"input": [HAM, SPAM]}, x_request_timeout_ms="50")
    # A pass takes more than three seconds.
    assert time.monotonic() - begin < 1.5
    assert (status, labels(answer)) == (200, ["undecided"] * 2)
    assert {entry["reason"] for entry in answer["data"]} == {"verdict_timeout"}
    assert {entry["stage"] for entry in answer["data"]} == {"none"}
    decision = post(
        gateway, {"input": HAM, "questions": [{"type": "predicate", "name": "a"}]},
        "/v1/decisions", x_request_timeout_ms="50")
    assert decision[1]["answers"] == [{"type": "refusal", "name": "a"}]


def test_no_verdict_in_time_is_504_where_the_model_says_so(bench):
    gateway = start(
        bench, emulators(bench, 1, "--time-factor", "100"), when_undecided="error",
        batching={"default_queue_policy": {"default_timeout_microseconds": 50_000}})
    status, answer = post(gateway, {"input": HAM})
    assert (status, answer["error"]["code"]) == (504, "verdict_timeout")


def test_poisoned_message_fails_alone(bench):
    gateway = start(bench, emulators(bench, 1))
    # More tokens than the model server takes.
    texts = [HAM] * 20 + ["x" * 600_000] + [SPAM] * 20
    status, answer = post(gateway, {"input": texts})
    assert status == 200
    assert labels(answer) == ["ham"] * 20 + ["undecided"] + ["spam"] * 20
    assert answer["data"][20]["reason"] == "refused_by_model_server"
    assert answer["data"][20]["status"] == 400
    status, answer = post(gateway, {"input": "x" * 600_000})
    assert status == 400 and "maximum context length" in answer["error"]["message"]


def test_endpoint_killed_with_batches_in_flight(bench):
    doomed, survivor = emulators(bench, 2, "--time-factor", "4")
    gateway = start(bench, [doomed, survivor])
    results = [None] * 300
    def ask(number):
        text = f"{SPAM} {number}" if number % 2 else f"{HAM} {number}"
        assert results[number] is None
        results[number] = post(gateway, {"input": text})
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(300)]
    for thread in threads[:150]:
        thread.start()
    time.sleep(0.03)
    doomed.child.send_signal(signal.SIGKILL)
    for thread in threads[150:]:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [status for status, _ in results] == [200] * 300
    assert [labels(answer)[0] for _, answer in results] == ["ham", "spam"] * 150


def test_tenants_get_their_own_verdicts(bench):
    """Canaries: each tenant's texts have one sure verdict, and the verdicts never cross."""
    keys = {"left": "left-key", "right": "right-key"}
    tenants = [
        {"name": name, "pools": ["alpha"],
         "api_key_sha256": [hashlib.sha256(key.encode()).hexdigest()]}
        for name, key in keys.items()]
    gateway = start(bench, emulators(bench, 2), tenants=tenants)
    assert post(gateway, {"input": HAM})[0] == 401

    def ask(number):
        name = "left" if number % 2 else "right"
        text = f"{SPAM if name == 'left' else HAM} {name} {number}"
        status, answer = post(gateway, {"input": text}, authorization=f"Bearer {keys[name]}")
        return status, labels(answer)[0], name

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for status, label, name in pool.map(ask, range(1000)):
            assert (status, label) == (200, "spam" if name == "left" else "ham")


def test_verdicts_of_the_same_text_come_out_of_the_cache(bench):
    gateway = start(bench, emulators(bench, 1), threads=1, cache={"entries": 100})
    first = post(gateway, {"input": SPAM})[1]["data"][0]
    # Other case, full-width letters and a character without width: the same text.
    again = post(gateway, {"input": "ｆｒｅｅ  PRI\u200bZE, claim now"})[1]["data"][0]
    other = post(gateway, {"input": SPAM + "!"})[1]["data"][0]
    assert (first["stage"], again["stage"], other["stage"]) == (
        "accelerator", "cache", "accelerator")
    assert (again["label"], again["probs"]) == (first["label"], first["probs"])
    assert gateway.admin("DELETE", "/classification/spam/cache")[0] == 200
    assert post(gateway, {"input": SPAM})[1]["data"][0]["stage"] == "accelerator"
    page = json.loads(gateway.admin("GET", "/classification")[1])
    assert (page["cache_hits"], page["cache_misses"]) == (1, 3)


def test_tenants_have_caches_of_their_own(bench):
    tenants = [
        {"name": name, "pools": ["alpha"],
         "api_key_sha256": [hashlib.sha256(name.encode()).hexdigest()]}
        for name in ("left", "right")]
    gateway = start(
        bench, emulators(bench, 1), tenants=tenants, threads=1, cache={"entries": 100})
    stages = [
        post(gateway, {"input": SPAM}, authorization=f"Bearer {name}")[1]["data"][0]["stage"]
        for name in ("left", "right", "left", "right")]
    assert stages == ["accelerator", "accelerator", "cache", "cache"]


def test_only_messages_of_one_tenant_go_as_one(bench):
    tenants = [
        {"name": name, "pools": ["alpha"],
         "api_key_sha256": [hashlib.sha256(name.encode()).hexdigest()]}
        for name in ("left", "right")]
    # A pass takes 160 ms: all of them come while the first is on its way.
    gateway = start(
        bench, emulators(bench, 2, "--time-factor", "100"), tenants=tenants, threads=1,
        cache={"entries": 100})

    def ask(name):
        status, answer = post(gateway, {"input": [SPAM] * 5}, authorization=f"Bearer {name}")
        assert status == 200 and set(labels(answer)) == {"spam"}
        return [entry["stage"] for entry in answer["data"]]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        stages = list(pool.map(ask, ["left", "right"] * 2))
    for tenant in stages[::2], stages[1::2]:
        tenant = sum(tenant, [])
        assert tenant.count("accelerator") == 1 and tenant.count("shared") >= 4
    assert sum(worker["dispatched"] for worker in gateway.workers()) == 2


def test_links_are_exact_in_cache_and_allow_list(bench):
    gateway = start(bench, emulators(bench, 1), threads=1, cache={"entries": 100})

    def stage(text):
        return post(gateway, {"input": text})[1]["data"][0]["stage"]

    assert stage("see http://google.example/a") == "accelerator"
    assert stage("SEE  http://goo\u200bgle.example/a") == "cache"
    assert stage("see http://gooogle.example/a") == "accelerator"
    assert stage("see http://g\u043e\u043egle.example/a") == "accelerator"
    texts = ["pay at bank.example"]
    assert gateway.admin("POST", "/classification/spam/allow", {"texts": texts})[0] == 200
    assert stage("PAY at bank.example") == "allow_list"
    assert stage("pay at b\u0430nk.example") == "accelerator"


def test_allowed_texts_are_never_positive(bench):
    gateway = start(bench, emulators(bench, 1))
    assert gateway.admin("POST", "/classification/spam/allow", {"texts": [SPAM.upper()]})[0] == 200
    entry = post(gateway, {"input": SPAM})[1]["data"][0]
    assert (entry["label"], entry["stage"], entry["probs"]) == ("ham", "allow_list", [1, 0])
    assert gateway.admin("DELETE", "/classification/spam/allow")[0] == 200
    assert post(gateway, {"input": SPAM})[1]["data"][0]["stage"] == "accelerator"
    assert gateway.admin("POST", "/classification/spam/allow", {"texts": []})[0] == 400
    assert gateway.admin("POST", "/classification/other/allow", {"texts": ["x"]})[0] == 404


def train(folder, name, positive="spam"):
    """Weights from a handful of words; the report."""
    words = {"spam": ["win", "prize", "claim", "free"], "ham": ["lunch", "see", "home", "you"]}
    lines = [
        f"{label}\t{number} {own[number % 4]} {own[(number + 1) % 4]} the message of {number // 2}"
        for number in range(200) for label, own in words.items()]
    data = folder / "data.tsv"
    data.write_text("\n".join(lines))
    file = folder / f"{name}.weights"
    done = subprocess.run(
        [processes.program(), "train-spam", "--data", str(data), "--output", str(file),
         "--name", name, "--positive", positive],
        capture_output=True, text=True, check=True)
    return file, json.loads(done.stdout)


def test_linear_scorer_decides_what_it_is_sure_of(bench, tmp_path):
    file, report = train(tmp_path, "one")
    assert report["messages"]["distinct"] == 400
    assert report["cross_validation"]["fewest_errors"]["accuracy"] > 0.99
    gateway = start(bench, emulators(bench, 1), threads=1, linear={
        "weights": str(file), "negative_below": 0.2, "positive_above": 0.8})
    texts = ["lunch at home, see you", "win a prize, claim it", "12345"]
    entries = post(gateway, {"input": texts})[1]["data"]
    assert [entry["stage"] for entry in entries] == ["linear", "linear", "accelerator"]
    assert [entry["label"] for entry in entries] == ["ham", "spam", "ham"]
    assert [entry["version"] for entry in entries] == ["one", "one", "v7"]
    assert [entry["threshold"] for entry in entries] == [0.2, 0.8, 0.6]
    assert abs(sum(entries[0]["probs"]) - 1) < 1e-6


def test_candidates_run_in_shadow_and_are_switched_live(bench, tmp_path):
    file, _ = train(tmp_path, "one")
    # Looks for the other label: it can hardly agree.
    contrary, _ = train(tmp_path, "two", positive="ham")
    gateway = start(bench, emulators(bench, 1), threads=1, linear={
        "weights": str(file), "negative_below": 0.2, "positive_above": 0.8})

    def entry():
        return post(gateway, {"input": "win a prize, claim it"})[1]["data"][0]

    def act(**body):
        status, answer = gateway.admin("POST", "/classification/spam/scorer", body)
        return status, json.loads(answer)

    assert act(action="switch")[0] == 409
    assert act(action="shadow", weights=str(tmp_path / "missing"))[0] == 400
    status, account = act(action="shadow", weights=str(contrary))
    assert (status, account["scorer"], account["candidate"]) == (200, "one", "two")
    assert (entry()["label"], entry()["version"]) == ("spam", "one")
    page = json.loads(gateway.admin("GET", "/classification")[1])
    assert page["shadow"] == {"agrees": 0, "differs": 2}
    assert act(action="switch")[1]["scorer"] == "two"
    assert (entry()["label"], entry()["version"]) == ("ham", "two")
    assert act(action="rollback")[1]["scorer"] == "one"
    assert (entry()["label"], entry()["version"]) == ("spam", "one")


def test_texts_are_in_no_log_and_on_no_page(bench):
    gateway = start(
        bench, emulators(bench, 1), log_level="trace", cache={"entries": 100})
    canary = "canary-7f3a"
    for body in ({"input": canary}, {"input": [canary, canary + "x" * 600_000]}):
        post(gateway, body)
    gateway.admin("POST", "/classification/spam/allow", {"texts": [canary + " allowed"]})
    post(gateway, {"input": canary}, x_request_timeout_ms="1")
    pages = [gateway.admin("GET", page)[1] for page in ("/metrics", "/status", "/classification")]
    gateway.wait_until_idle()
    assert canary not in gateway.log and canary not in "".join(pages)
    assert 'joulegate_classified_messages_total{outcome="refused"} 1' in pages[0]
