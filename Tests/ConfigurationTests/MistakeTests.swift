import InferenceTypes
import Testing

@testable import Configuration

@Suite struct MistakeTests {
    @Test func anUnknownKeyNamesItsNeighbour() {
        let report = parse(valid(with: "polcy: random\nlimits: {qeued_requests: 5}"))
        #expect(report.configuration == nil)
        #expect(lines(report) == [
            "7:1 polcy: unknown key 'polcy'; did you mean 'policy'?",
            "8:10 limits.qeued_requests: unknown key 'qeued_requests';"
                + " did you mean 'queued_requests'?",
        ])
    }

    @Test func aKeyUnlikeAnyOtherListsWhatIsKnown() {
        let report = parse(valid(with: "scrapes: {zzzzzzzzzzzzzz: 1}"))
        #expect(lines(report) == [
            "7:11 scrapes.zzzzzzzzzzzzzz: unknown key 'zzzzzzzzzzzzzz'. Known here: interval_ms"
        ])
    }

    @Test func allMistakesAreFoundInOnePass() {
        let report = parse(
            """
            listeners: [{port: 70000}, {address: '::1'}]
            threads: many
            pools:
              - name: p
                engine: vlm
                profile: nothing
                endpoints: [{url: "ftp://h"}, {url: "http://h:1", meters: [nome]}]
                models: {name: m}
            probes: [5]
            tenants: [{name: t, pools: [q], api_key_sha256: [abc]}]
            """)
        #expect(lines(report) == [
            "1:20 listeners[0].port: expected a number of at most 65535, found 70000",
            "1:28 listeners[1]: 'port' is missing",
            "2:10 threads: expected a whole number, found 'many'",
            "5:13 pools[0].engine: expected one of vllm, vllm-rbln, llama-server, sglang,"
                + " found 'vlm'; did you mean 'vllm'?",
            "6:14 pools[0].profile: profile 'nothing' cannot be used:"
                + " there is no profile 'nothing'. Known: test",
            "7:23 pools[0].endpoints[0].url: an address starts with http:// or https://",
            "7:64 pools[0].endpoints[1].meters[0]: there is no meter 'nome'",
            "8:13 pools[0].models: expected a list of blocks, found a block of keys",
            "9:9 probes: expected a block of keys, found a list",
            "10:29 tenants[0].pools[0]: there is no pool 'q'; did you mean 'p'?",
            "10:50 tenants[0].api_key_sha256[0]: expected the SHA-256 of a key as 64"
                + " hexadecimal digits, found 3 characters",
        ])
    }

    @Test(arguments: [
        ("listeners: [{port: 1}, {port: 1}]", "127.0.0.1:1 is listened on twice"),
        ("models: [{name: m}, {name: x, aliases: [m]}]", "'m' already names a model"),
        ("models: [{name: x}]", "there is no model 'm'; did you mean 'x'?"),
        ("admin: {port: -1}", "expected a number of at least 0, found -1"),
        ("limits: {journal_buffer_bytes: 1_000_000_000_000}",
            "expected a number of at most 1073741824, found 1000000000000"),
        ("site: {pue: 0.9}", "expected a number of at least 1, found 0.9"),
        ("site: {pue: .nan}", "expected a number, found '.nan'"),
        ("threads: [1]", "expected a single value, found a list"),
        ("tenants: [{name: t, pools: []}]", "a tenant needs the pools that may see its prompts"),
        ("meters: [{name: a, source: kepler, path: x}]", "a kepler meter has a url, no path"),
        ("meters: [{name: a, source: hwmon}]", "'path' is missing"),
        ("probes: {path: health}", "a path starts with '/'"),
        ("log_level: ${NOWHERE}", "environment variable NOWHERE is not set;"
            + " write ${NOWHERE:-default} to allow that"),
        ("log_level: ${NOWHERE", "'${' without its '}'"),
        ("log_level: yes", "expected one of trace, debug, info, notice, warning, error,"
            + " critical, found 'yes'"),
        ("models: [{name: m, dynamic_batching: {preserve_ordering: on}}]",
            "expected true or false, found 'on'"),
    ])
    func aMistakeIsNamed(extra: String, message: String) {
        let report = parse(valid(with: extra))
        #expect(report.configuration == nil)
        #expect(report.issues.map(\.message).contains(message))
        #expect(report.issues.allSatisfy { $0.line == 7 || $0.severity == .warning
            || $0.keyPath.hasPrefix("pools") })
    }

    @Test(arguments: [
        ("{port: 8000}", "http://127.0.0.1:8000", true),
        ("{port: 8000}", "http://localhost:8000", true),
        ("{port: 8000, address: 0.0.0.0}", "http://127.0.0.1:8000", true),
        ("{port: 8000, address: '::'}", "http://[::1]:8000", true),
        ("{port: 8000, address: 10.0.0.1}", "http://10.0.0.1:8000", true),
        ("{port: 8000, address: 10.0.0.1}", "http://127.0.0.1:8000", false),
        ("{port: 8000, address: 0.0.0.0}", "http://10.0.0.2:8000", false),
        ("{port: 8001}", "http://127.0.0.1:8000", false),
        ("{port: 0}", "http://127.0.0.1:8000", false),
    ])
    func aGatewayIsNotItsOwnEndpoint(listener: String, url: String, isRefused: Bool) {
        let report = parse("""
            listeners: [\(listener)]
            pools:
              - {name: p, engine: vllm, profile: test, models: [{name: m}],
                 endpoints: [{url: '\(url)'}]}
            """)
        #expect((report.configuration == nil) == isRefused)
        let message = "this gateway itself listens there: requests would go round in circles"
        #expect(report.issues.map(\.message).contains(message) == isRefused)
    }

    @Test(arguments: [
        ("classification: {cache: {entries: 8}}", true),
        ("task: classify, classification: {cache: {entries: 8}}", true),
        ("task: classify, dynamic_batching: {max_batch_size: 8}, classification: {labels: [a]}",
            false),
        ("task: classify", false),
    ])
    func aCascadeThatNothingGoesThroughIsWarnedOf(keys: String, isIdle: Bool) {
        let report = parse(valid(with: "models: [{name: m, \(keys)}]"))
        #expect(report.configuration != nil)
        let warning = "no effect without task: classify and a dynamic_batching block"
        #expect(report.issues.map(\.message).contains(warning) == isIdle)
    }

    @Test func warningsDoNotStop() throws {
        let report = parse(
            valid(with: "models: [{name: m}, {name: idle}]\nadmin: {address: 0.0.0.0}"))
        #expect(report.issues.allSatisfy { $0.severity == .warning })
        #expect(report.issues.map(\.message) == [
            "no pool serves model 'idle'",
            "the admin listener is reachable from other machines without a key",
        ])
        _ = try report.get()
    }

    @Test func brokenYAMLHasAPosition() {
        let issues = parse("pools: [").issues
        #expect(issues.count == 1)
        #expect(issues[0].message.hasPrefix("not YAML"))
        #expect(issues[0].line == 2)
    }

    @Test func aKeyGivenTwiceIsAnError() {
        let issues = parse(valid(with: "threads: 1\nthreads: 2")).issues
        #expect(issues.map(\.message) == ["'threads' appears more than once in this block"])
        #expect(issues[0].line == 7)
    }

    @Test func anEmptyFileSaysWhatIsMissing() {
        #expect(parse("").issues.map(\.message) == ["at least one pool is needed"])
    }

    @Test func bombsAreRefused() {
        let long = String(repeating: "#", count: YAMLDocument.maxBytes + 1)
        #expect(parse(long).issues.map(\.message) == ["the file is longer than 1048576 bytes"])

        let deep = "threads: " + String(repeating: "[", count: 40)
            + String(repeating: "]", count: 40)
        #expect(parse(deep).issues.map(\.message) == ["nested deeper than 32 levels"])

        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...6 {
            let uses = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            laughs += "a\(level): &a\(level) [\(uses)]\n"
        }
        #expect(parse(laughs).issues.map(\.message) == [
            "more than 100000 values with aliases written out"
        ])

        let many = "a: &a 1\nb: [" + String(repeating: "*a, ", count: 300) + "1]"
        #expect(parse(many).issues.map(\.message) == [
            "the file uses more than 256 aliases (*name)"
        ])
    }

    @Test func hostileTextNeverTraps() throws {
        var random = RandomSource(seed: 7)
        let full = Array(try packageFile("Tests/Fixtures/configuration/full.yaml").utf8)
        for _ in 0..<300 {
            var bytes = full
            for _ in 0...random.nextIndex(below: 6) {
                let place = random.nextIndex(below: bytes.count)
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = random.nextIndex(below: bytes.count)
            _ = parse(String(decoding: bytes, as: UTF8.self))
            _ = parse(String(decoding: full[..<cut], as: UTF8.self))
        }
    }

    @Test func aFileThatIsNotThereIsNamed() {
        let error = #expect(throws: ConfigurationError.self) {
            try GatewayConfiguration.load(path: "no/such/file.yaml", environment: [:])
        }
        #expect(error?.description == "no/such/file.yaml: error: the file cannot be opened")
    }
}
