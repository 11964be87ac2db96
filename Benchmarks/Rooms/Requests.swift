import Benchmark
import InferenceAPI
import InferenceTypes

/// Prompts as clients write them.
private enum Prompt: String {
    case english = "English"
    case korean = "Korean"
    /// As `json.dumps` and others write it: six bytes for each syllable.
    case escaped = "escaped Korean"

    private var words: String {
        let korean = "이 가속기에서 토큰 하나를 만드는 데 지금 몇 줄이 드는지 알려 주세요. "
        switch self {
        case .english:
            return "What does one token cost on this accelerator, in joules, at this hour? "
        case .korean: return korean
        case .escaped:
            return korean.utf16.map { unit in
                guard unit > 0x7F else { return String(UnicodeScalar(UInt8(unit))) }
                return "\\u" + String(unit, radix: 16)
            }.joined()
        }
    }

    /// A chat request of exactly `size` bytes.
    func body(of size: Int) -> [UInt8] {
        let start = #"{"model":"m","messages":[{"role":"system","content":"#
            + #""You are a helpful assistant."},{"role":"user","content":""#
        let end = #""}],"temperature":0.7,"max_tokens":64,"stream":false}"#
        let text = size - start.utf8.count - end.utf8.count
        var content: [UInt8] = []
        while content.count + words.utf8.count <= text { content += Array(words.utf8) }
        content += repeatElement(UInt8(ascii: "."), count: text - content.count)
        return Array(start.utf8) + content + Array(end.utf8)
    }
}

/// A body is checked and read: JSON, UTF-8, the members that routing needs, the prompt's size.
func measureRequests() {
    let sizes = [("0.3 KiB", 307, 1_000), ("8 KiB", 8 << 10, 500), ("64 KiB", 64 << 10, 100)]
    for (name, size, units) in sizes {
        for prompt in [Prompt.english, .korean, .escaped] {
            measure("request \(name) \(prompt.rawValue)", bytes: size, units: units) {
                let body = prompt.body(of: size)
                let limits = Limits()
                return {
                    let request = try body.withUnsafeBytes {
                        try ParsedRequest.parse(task: .chat, body: $0, limits: limits)
                    }
                    guard request.maxOutputTokens == 64 else { throw Unexpected("no limit") }
                    blackHole(request)
                }
            }
        }
    }
}
