import Foundation

/// What a client must think of an answer: that it has all of it, or that something went wrong.
/// Anything else is a lie.
enum Verdict: Equatable {
    /// The whole reference text, told to be whole.
    case complete
    /// An error that a client cannot overlook.
    case visibleError
    /// The connection went down before a head.
    case noAnswer
    case lie(String)

    init(_ response: RawResponse, streams: Bool, reference: String) {
        if response.status >= 400 {
            let error = JSONText.object(response.body)["error"]
            self = response.isWhole && error != nil
                ? .visibleError : .lie("status \(response.status) without an error body")
        } else if response.status == 0 {
            self = .noAnswer
        } else if response.status != 200 {
            self = .lie("status \(response.status)")
        } else if streams {
            self = StreamReading(response.body).verdict(
                reference: reference, isWhole: response.isWhole)
        } else {
            self = Self.unary(response, reference)
        }
    }

    private static func unary(_ response: RawResponse, _ reference: String) -> Verdict {
        guard response.isWhole else { return .visibleError }
        let choices = JSONText.object(response.body)["choices"] as? [[String: Any]]
        let message = choices?.first?["message"] as? [String: Any]
        let text = message?["content"] as? String ?? choices?.first?["text"] as? String
        return text == reference ? .complete : .lie("unary text \(text ?? "missing")")
    }
}

/// The server-sent events of an answer, read as a client would.
struct StreamReading {
    private(set) var text = ""
    /// Events with text in them.
    private(set) var tokens = 0
    private(set) var done = 0
    private(set) var errors = 0
    private(set) var afterDone = 0
    private(set) var unreadable = 0
    private(set) var usages = 0
    private(set) var endsInsideEvent = false

    /// - Parameter choice: whose text is read.
    init(_ body: [UInt8], choice: Int = 0) {
        let whole = String(decoding: body, as: UTF8.self)
        let blocks = whole.components(separatedBy: "\n\n")
        endsInsideEvent = !(blocks.last ?? "").isEmpty
        for block in blocks.dropLast() {
            for line in block.split(separator: "\n") where line.hasPrefix("data: ") {
                read(line.dropFirst(6), choice)
            }
        }
    }

    private mutating func read(_ data: Substring, _ wanted: Int) {
        if done > 0 { afterDone += 1 }
        if data == "[DONE]" {
            done += 1
            return
        }
        let event = JSONText.object(Array(data.utf8))
        if event.isEmpty { unreadable += 1 }
        if event["error"] != nil { errors += 1 }
        if event["usage"] is [String: Any] { usages += 1 }
        for choice in event["choices"] as? [[String: Any]] ?? []
        where choice["index"] as? Int == wanted {
            let delta = choice["delta"] as? [String: Any]
            let piece = delta?["content"] as? String ?? choice["text"] as? String ?? ""
            text += piece
            if !piece.isEmpty { tokens += 1 }
        }
    }

    func verdict(reference: String, isWhole: Bool) -> Verdict {
        if unreadable > 0 { return .lie("\(unreadable) events are no JSON") }
        guard reference.utf8.starts(with: text.utf8) else { return .lie("text \(text)") }
        if afterDone > 0 { return .lie("something follows [DONE]") }
        if done == 1, errors == 0, isWhole, !endsInsideEvent {
            return text == reference ? .complete : .lie("[DONE] after \(text)")
        }
        if done > 0 { return .lie("[DONE] \(done) times with \(errors) errors") }
        if errors == 1 { return endsInsideEvent ? .lie("a broken error event") : .visibleError }
        return .lie("\(errors) error events, no [DONE]")
    }
}
