import EmulatedEngine
import InferenceTypes

/// How vLLM and llama-server word the same things.
struct Dialect: Sendable {
    let kind: EngineKind

    var isLlama: Bool { kind == .llamaServer }

    /// vllm-rbln pins an older vLLM.
    var version: String {
        switch kind {
        case .vllm: "0.33.0"
        case .vllmRBLN: "0.30.0"
        case .sglang: "0.5.23"
        case .llamaServer: "b11434"
        }
    }

    var eventStream: String { isLlama ? "text/event-stream" : "text/event-stream; charset=utf-8" }

    // MARK: Errors

    func error(status: Int, message: String) -> [UInt8] {
        var text = JSONText()
        if isLlama {
            text.append("{\"error\":{\"code\":")
            text.append(number: status)
            text.append(",\"message\":")
            text.append(quoted: message)
            text.append(",\"type\":")
            text.append(quoted: llamaType(status))
            text.append("}}")
        } else {
            text.append("{\"error\":{\"message\":")
            text.append(quoted: message)
            text.append(",\"type\":")
            text.append(quoted: vllmType(status))
            text.append(",\"param\":null,\"code\":")
            text.append(number: status)
            text.append("}}")
        }
        return text.bytes
    }

    var notFound: [UInt8] {
        isLlama
            ? error(status: 404, message: "File Not Found")
            : Array("{\"detail\":\"Not Found\"}".utf8)
    }

    private func vllmType(_ status: Int) -> String {
        switch status {
        case 400: "BadRequestError"
        case 404: "NotFoundError"
        case 429: "RateLimitError"
        case 503: kind == .vllm ? "ServiceUnavailableError" : "Service Unavailable"
        default: "InternalServerError"
        }
    }

    private func llamaType(_ status: Int) -> String {
        switch status {
        case 400: "invalid_request_error"
        case 404: "not_found_error"
        case 503: "unavailable_error"
        default: "server_error"
        }
    }

    // MARK: Pieces of answers

    /// `"usage":{...}`.
    /// - Parameter cached: `nil` for a server without a prefix cache.
    func appendUsage(input: Int, output: Int, cached: Int?, to text: inout JSONText) {
        text.append("\"usage\":{\"prompt_tokens\":")
        text.append(number: input)
        text.append(",\"total_tokens\":")
        text.append(number: input + output)
        text.append(",\"completion_tokens\":")
        text.append(number: output)
        if isLlama || cached != nil {
            text.append(",\"prompt_tokens_details\":{\"cached_tokens\":")
            text.append(number: cached ?? 0)
            text.append("}}")
        } else {
            text.append(",\"prompt_tokens_details\":null}")
        }
    }

    /// `,"timings":{...}`, which only llama-server sends.
    func appendTimings(_ part: Exchange.Part, to text: inout JSONText) {
        guard isLlama else { return }
        let first = part.firstTokenAt ?? part.endedAt
        let prompt = max(1e-6, (first - part.startedAt).milliseconds)
        let predicted = max(1e-6, (part.endedAt - first).milliseconds)
        let gaps = max(0, part.produced - 1)
        let figures: [(String, Double)] = [
            ("prompt_ms", prompt),
            ("prompt_per_token_ms", prompt / Double(part.inputTokens)),
            ("prompt_per_second", Double(part.inputTokens) * 1e3 / prompt),
            ("predicted_ms", predicted),
            ("predicted_per_token_ms", predicted / Double(max(1, gaps))),
            ("predicted_per_second", Double(gaps) * 1e3 / predicted),
        ]
        text.append(",\"timings\":{\"cache_n\":0,\"prompt_n\":")
        text.append(number: part.inputTokens)
        text.append(",\"predicted_n\":")
        text.append(number: part.produced)
        for (name, value) in figures {
            text.append(",")
            text.append(quoted: name)
            text.append(":")
            text.append(number: value)
        }
        text.append("}")
    }
}

extension FinishReason {
    /// As JSON has it, with its quotes.
    var quoted: StaticString {
        switch self {
        case .stop: "\"stop\""
        case .length: "\"length\""
        }
    }
}
