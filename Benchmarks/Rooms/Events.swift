import Benchmark
import InferenceAPI
import InferenceTypes

/// Events as a model server writes them, one token each.
private func event(_ number: Int, toolCall: Bool = false) -> [UInt8] {
    let text = ["token", " and", " one", " more", ",", " 토큰", " joule"][number % 7]
    let delta = toolCall
        ? #"{"tool_calls":[{"index":0,"function":{"arguments":"\#(text)"}}]}"#
        : #"{"content":"\#(text)"}"#
    let json = #"{"id":"chatcmpl-7f","object":"chat.completion.chunk","created":1790000000,"#
        + #""model":"m","choices":[{"index":0,"delta":\#(delta),"logprobs":null,"#
        + #""finish_reason":null}]}"#
    return Array("data: \(json)\n\n".utf8)
}

/// A relay with a place to live in: closures hold no value that cannot be copied.
private final class Relay {
    var relay = StreamRelay(task: .chat, stripUsage: true, limits: Limits())

    func receive(_ bytes: [UInt8]) throws {
        guard case .forward(let range) = bytes.withUnsafeBytes({ relay.receive($0) }),
            range == 0..<bytes.count
        else { throw Unexpected("not relayed") }
    }
}

private func measureRelay(_ name: String, _ events: [[UInt8]]) {
    let bytes = events.reduce(0) { $0 + $1.count } / events.count
    measure(name, bytes: bytes) {
        let relay = Relay()
        var next = 0
        return {
            try relay.receive(events[next])
            next = next + 1 == events.count ? 0 : next + 1
        }
    }
}

/// What becomes of an event that a model server sent: scanned and observed.
func measureEvents() {
    let burst = (0..<64).flatMap { event($0) }
    measure("64 events: scanner alone", bytes: burst.count) {
        var scanner = SSEScanner()
        return {
            try burst.withUnsafeBytes { bytes in
                var (start, events) = (0, 0)
                while let end = scanner.endOfBlock(in: bytes, from: start) {
                    start = end
                    events += 1
                }
                guard events == 64 else { throw Unexpected("\(events) events") }
            }
        }
    }
    measure("64 events relayed at once", bytes: burst.count) {
        let relay = Relay()
        return { try relay.receive(burst) }
    }
    measureRelay("1 event relayed, like the one before", (0..<64).map { event($0) })
    measureRelay(
        "1 event relayed, unlike the one before",
        (0..<64).map { event($0, toolCall: $0 % 2 == 0) })
}
