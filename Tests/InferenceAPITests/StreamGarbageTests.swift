import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("Streams of garbage never trap")
struct StreamGarbageTests {
    private static let fragments: [String] = [
        "data:", "data: ", "data", "event: error\n", "event:", "\n", "\r", "\r\n", "\n\n", ":",
        "{", "}", "[", "]", "\"", "\\", ",", "-", "0", "1e9", " ", "\u{FEFF}", "[DONE]",
        "\"choices\":", "\"delta\":", "\"content\":", "\"usage\":", "\"error\":", "\"index\":",
        "\"finish_reason\":", "\"type\":", "\"response\":", "\"prompt_tokens\":", "가", "null",
        "{\"choices\":[{\"index\":", "\"response.completed\"", "{\"error\":{\"message\":\"",
    ]

    private func garbage(_ random: inout RandomSource) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<random.nextIndex(below: 30) {
            let pick = random.nextIndex(below: Self.fragments.count + 2)
            if pick < Self.fragments.count {
                bytes.append(contentsOf: Self.fragments[pick].utf8)
            } else {
                bytes.append(UInt8(truncatingIfNeeded: random.next()))
            }
        }
        return bytes
    }

    @Test("random fragments, mutated streams and random ends", arguments: [1, 2, 3, 4])
    func garbage(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var limits = Limits()
        limits.eventBytes = 400
        let sample = Array(StreamSamples.vllm.joined().utf8)
        for round in 0..<1_500 {
            var pieces = [garbage(&random), garbage(&random)]
            if round.isMultiple(of: 3) {
                var mutated = sample
                for _ in 0..<8 {
                    mutated[random.nextIndex(below: mutated.count)] =
                        UInt8(truncatingIfNeeded: random.next())
                }
                pieces.append(mutated)
            }
            let task: InferenceTask = random.nextIndex(below: 3) == 0 ? .responses : .chat
            let causes: [StreamRelay.EndCause] = [.clean, .closed, .cut, .timeout, .shutdown]
            let result = RelayedStream.relay(
                pieces, task: task, stripUsage: random.nextIndex(below: 2) == 0,
                limits: limits, end: causes[random.nextIndex(below: causes.count)])
            #expect(result.isDone != result.isFailed)
            #expect(result.errorCodes.count <= (result.isDone ? 0 : 1))
            let joined = RelayedStream.relay(pieces.joined().map { [$0] }, task: task)
            let whole = RelayedStream.relay([Array(pieces.joined())], task: task)
            #expect(joined.output == whole.output)
        }
    }
}
