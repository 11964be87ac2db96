import EmulatedEngine
import InferenceTypes

@testable import EmulatedServer

/// A service, a clock and what came out, without sockets.
struct ServiceRig {
    /// What one exchange got.
    struct Answer: Equatable {
        var status = 0
        var contentType = ""
        var framing: ServiceAction.Framing?
        var announcesClose = false
        var body = ""
        var raw = ""
        var isFinished = false
        var isAborted = false

        /// The events of a stream: what stands after `data: `.
        var events: [String] {
            body.split(separator: "\n\n", omittingEmptySubsequences: true).map(String.init)
                .filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
        }

        /// The concatenated texts of a stream, JSON escapes undone.
        var text: String { events.map { Self.content(of: $0) }.joined() }

        static func content(of json: String) -> String {
            for name in ["\"content\":\"", "\"text\":\""] {
                guard let start = json.firstRange(of: name)?.upperBound else { continue }
                var bytes = Array("{\"t\":\"".utf8)
                var isEscaped = false
                for byte in json[start...].utf8 {
                    bytes.append(byte)
                    if isEscaped {
                        isEscaped = false
                    } else if byte == 92 {
                        isEscaped = true
                    } else if byte == 34 {
                        break
                    }
                }
                bytes.append(125)
                let call = try? InferenceCall.parse(
                    Array("{\"input\":".utf8) + bytes.dropFirst(5).dropLast() + [125],
                    continuesAlways: false)
                return String(decoding: call?.inputs.first?.text ?? [], as: UTF8.self)
            }
            return ""
        }
    }

    static let profile = Profile(
        name: "test", model: "test", accelerator: "test", provenance: .assumed,
        idlePower: Watts(100), sleepPower: Watts(10), wakeTime: .seconds(1),
        wakeEnergy: Joules(100), maxBatch: 8, prefillTokensPerSecond: 10_000,
        prefillPower: Watts(600), weightsGigabytes: 16, kvKilobytesPerToken: 128,
        meterScope: .accelerator, decodeBuckets: [],
        knots: [
            Profile.Knot(
                batch: 1, iterationTime: .milliseconds(10), power: Watts(300),
                provenance: .assumed)
        ])

    var service: EmulatedService
    var now = MonotonicTime.zero
    var answers: [UInt64: Answer] = [:]
    private var nextID: UInt64 = 1

    init(
        _ kind: EngineKind = .vllm, faults: [String] = [], seed: UInt64 = 1,
        _ change: (inout ServiceOptions) -> Void = { _ in }
    ) throws {
        var options = ServiceOptions(
            kind: kind, profile: Self.profile, model: "m", seed: seed,
            faults: try FaultPlan(faults))
        change(&options)
        service = EmulatedService(options, startingAt: .zero)
    }

    @discardableResult
    mutating func send(
        _ path: String, _ body: String = "", method: String = "POST", fault: String? = nil
    ) -> UInt64 {
        let id = nextID
        nextID += 1
        var output = ServiceOutput()
        service.handle(
            ServiceRequest(
                id: id, method: method, target: path, fault: fault, body: Array(body.utf8)),
            at: now, into: &output)
        take(output)
        return id
    }

    mutating func get(_ path: String) -> Answer {
        answers[send(path, method: "GET")] ?? Answer()
    }

    mutating func run(for span: TimeSpan = .seconds(60)) {
        let end = now + span
        while let next = service.nextEvent(), next <= end {
            now = max(now, next)
            var output = ServiceOutput()
            service.advance(to: now, into: &output)
            take(output)
        }
        now = end
    }

    mutating func leave(_ id: UInt64) {
        var output = ServiceOutput()
        service.disconnect(id, at: now, into: &output)
        take(output)
    }

    /// The answer to one request, once everything has come to rest.
    mutating func answer(_ path: String, _ body: String, fault: String? = nil) -> Answer {
        let id = send(path, body, fault: fault)
        run()
        return answers[id] ?? Answer()
    }

    private mutating func take(_ output: ServiceOutput) {
        for action in output.actions {
            switch action {
            case .respond(let id, let status, let type, let framing, let closes):
                precondition(answers[id] == nil, "answered twice")
                answers[id] = Answer(
                    status: status, contentType: type, framing: framing,
                    announcesClose: closes)
            case .send(let id, let range):
                answers[id]?.body += String(decoding: output.bytes[range], as: UTF8.self)
            case .sendRaw(let id, let range):
                answers[id]?.raw += String(decoding: output.bytes[range], as: UTF8.self)
            case .finish(let id): answers[id]?.isFinished = true
            case .abort(let id, _): answers[id, default: Answer()].isAborted = true
            }
        }
    }
}

enum Bodies {
    static func chat(
        _ text: String = "hello", stream: Bool = true, extra: String = ""
    ) -> String {
        """
        {"model":"m","messages":[{"role":"user","content":"\(text)"}],"stream":\(stream)\(extra)}
        """
    }

    static func key(_ text: String = "hello") -> EmulatedText.Key {
        EmulatedText.key(ofMessages: [("user", text)])
    }
}
