import InferenceTypes

@testable import InferenceAPI

/// Streams as the engines send them.
enum StreamSamples {
    static let done = "data: [DONE]\n\n"

    static func vllmChunk(_ choice: String, tail: String = "") -> String {
        "data: {\"id\":\"chatcmpl-7f\",\"object\":\"chat.completion.chunk\","
            + "\"created\":1790000000,\"model\":\"llama-3.1-8b\","
            + "\"choices\":[\(choice)]\(tail)}\n\n"
    }

    static func vllmText(_ text: String) -> String {
        vllmChunk(
            "{\"index\":0,\"delta\":{\"content\":\"\(text)\"},\"logprobs\":null,"
                + "\"finish_reason\":null,\"token_ids\":null}")
    }

    static let usageEvent = vllmChunk(
        "",
        tail: ",\"usage\":{\"prompt_tokens\":21,\"total_tokens\":25,\"completion_tokens\":4,"
            + "\"prompt_tokens_details\":{\"cached_tokens\":16}}")

    static let vllm: [String] = [
        vllmChunk(
            "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                + "\"logprobs\":null,\"finish_reason\":null}"),
        vllmText("안녕하세요, "),
        ": ping\n\n",
        vllmText("\\\"error\\\": {세계} [DONE]"),
        vllmText("!"),
        vllmChunk(
            "{\"index\":0,\"delta\":{\"content\":\"\"},\"logprobs\":null,"
                + "\"finish_reason\":\"stop\",\"stop_reason\":null}"),
        usageEvent,
        done,
    ]

    static func llamaChunk(_ choices: String, tail: String = "") -> String {
        "data: {\"choices\":[\(choices)],\"created\":1790000000,\"id\":\"chatcmpl-x\","
            + "\"model\":\"q4\",\"system_fingerprint\":\"b10434\","
            + "\"object\":\"chat.completion.chunk\"\(tail)}\n\n"
    }

    static let llama: [String] = [
        llamaChunk(
            "{\"finish_reason\":null,\"index\":0,"
                + "\"delta\":{\"role\":\"assistant\",\"content\":null}}"),
        llamaChunk("{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\"달\"}}"),
        ":\n\n",
        llamaChunk("{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\"빛 🌙\"}}"),
        llamaChunk("{\"finish_reason\":\"stop\",\"index\":0,\"delta\":{}}"),
        llamaChunk(
            "",
            tail: ",\"usage\":{\"completion_tokens\":2,\"prompt_tokens\":9,"
                + "\"total_tokens\":11,\"prompt_tokens_details\":{\"cached_tokens\":0}},"
                + "\"timings\":{\"cache_n\":0,\"prompt_n\":9,\"prompt_ms\":88.4,"
                + "\"predicted_n\":2,\"predicted_ms\":31.25,\"predicted_per_second\":64.0}"),
        done,
    ]

    static let vllmError =
        "data: {\"error\":{\"message\":\"EngineCore died\",\"type\":\"InternalServerError\","
        + "\"param\":null,\"code\":500}}\n\n"
    static let llamaError =
        "data: {\"error\":{\"code\":500,\"message\":\"Compute error.\","
        + "\"type\":\"server_error\"}}\n\n"

    /// The same stream with other line ends.
    static func text(_ events: [String], lineEnd: String) -> [UInt8] {
        let text = events.joined()
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n") {
                bytes.append(contentsOf: lineEnd.utf8)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// What a client got of a stream.
struct RelayedStream {
    var output: [UInt8] = []
    var forwards = 0
    var buffers = 0
    var isDone = false
    var isFailed = false
    var events = 0
    var contentEvents = 0
    var hasFinishReason = false
    var usage = Usage()

    var text: String { String(decoding: output, as: UTF8.self) }

    /// The `code`s of the gateway's error events in the output.
    var errorCodes: [String] {
        text.components(between: "\"type\":\"upstream_error\",\"param\":null,\"code\":\"", "\"}}")
    }

    /// Relays the pieces one by one, then ends.
    static func relay(
        _ pieces: [[UInt8]], task: InferenceTask = .chat, stripUsage: Bool = false,
        choices: Int = 1, limits: Limits = Limits(), end: StreamRelay.EndCause = .clean
    ) -> RelayedStream {
        var relay = StreamRelay(
            task: task, stripUsage: stripUsage, choices: choices, limits: limits)
        var result = RelayedStream()
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                switch relay.receive(bytes) {
                case .forward(let range):
                    result.forwards += 1
                    result.output.append(contentsOf: bytes[range])
                case .buffered:
                    result.buffers += 1
                    relay.withPending { result.output.append(contentsOf: $0) }
                case .bufferedThen(let range):
                    result.buffers += 1
                    relay.withPending { result.output.append(contentsOf: $0) }
                    result.output.append(contentsOf: bytes[range])
                case .nothing: break
                }
            }
        }
        relay.end(cause: end)
        relay.withPending { result.output.append(contentsOf: $0) }
        relay.withFinish { result.output.append(contentsOf: $0) }
        result.isDone = relay.isDone
        result.isFailed = relay.isFailed
        result.events = relay.events
        result.contentEvents = relay.contentEvents
        result.hasFinishReason = relay.hasFinishReason
        result.usage = relay.usage
        return result
    }

    static func relay(
        _ text: String, task: InferenceTask = .chat, stripUsage: Bool = false,
        choices: Int = 1, limits: Limits = Limits(), end: StreamRelay.EndCause = .clean
    ) -> RelayedStream {
        relay(
            [Array(text.utf8)], task: task, stripUsage: stripUsage, choices: choices,
            limits: limits, end: end)
    }
}

extension String {
    /// Every text that stands between `start` and the next `end`.
    func components(between start: String, _ end: String) -> [String] {
        var found: [String] = []
        var rest = self[...]
        while let opening = rest.firstRange(of: start) {
            rest = rest[opening.upperBound...]
            guard let closing = rest.firstRange(of: end) else { break }
            found.append(String(rest[..<closing.lowerBound]))
        }
        return found
    }
}
