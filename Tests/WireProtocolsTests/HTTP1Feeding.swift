import InferenceTypes

@testable import WireProtocols

/// One message as a parser gave it, whichever way its bytes were cut.
struct HTTP1Message: Equatable {
    var fields: [String] = []
    var keepAlive = false
    var body: [UInt8] = []
    var isComplete = false

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// What came out of a run of bytes.
struct HTTP1Outcome: Equatable {
    var messages: [HTTP1Message] = []
    var error: HTTP1Error?
    var unread = 0
    var closing: HTTP1ResponseParser.Closing?
}

extension FieldBlock {
    var list: [String] { (0..<count).map { "\(name(at: $0))=\(value(at: $0))" } }
}

/// Feeds a parser the way a connection does: unread bytes stay at the front. Pieces are `step`
/// bytes long, but for the `first`.
enum HTTP1Feeding {
    /// What one step of either parser said.
    enum Step {
        case needMore
        case head(consumed: Int, keepAlive: Bool)
        case body(Range<Int>, consumed: Int)
        case end(consumed: Int)
    }

    static func requests(
        _ bytes: [UInt8], step: Int, first: Int? = nil, limits: Limits = Limits()
    ) -> HTTP1Outcome {
        var parser = HTTP1RequestParser(limits: limits)
        return run(bytes, step: step, first: first) { input, head throws(HTTP1Error) in
            switch try parser.next(input, into: &head) {
            case .needMore: .needMore
            case .head(let consumed, let head): .head(consumed: consumed, keepAlive: head.keepAlive)
            case .body(let range, let consumed): .body(range, consumed: consumed)
            case .end(let consumed): .end(consumed: consumed)
            }
        }
    }

    static func responses(
        _ bytes: [UInt8], step: Int, limits: Limits = Limits(), toHead: Bool = false
    ) -> HTTP1Outcome {
        var parser = HTTP1ResponseParser(limits: limits)
        parser.reset(requestMethodIsHead: toHead)
        var outcome = run(bytes, step: step, first: nil) { input, head throws(HTTP1Error) in
            switch try parser.next(input, into: &head) {
            case .needMore: .needMore
            case .head(let consumed, let head): .head(consumed: consumed, keepAlive: head.keepAlive)
            case .body(let range, let consumed): .body(range, consumed: consumed)
            case .end(let consumed): .end(consumed: consumed)
            }
        }
        if outcome.error == nil { outcome.closing = parser.inputClosed() }
        return outcome
    }

    private static func run(
        _ bytes: [UInt8], step: Int, first: Int?,
        next: (UnsafeRawBufferPointer, inout FieldBlock) throws(HTTP1Error) -> Step
    ) -> HTTP1Outcome {
        var outcome = HTTP1Outcome()
        var head = FieldBlock()
        var start = 0
        var end = 0
        bytes.withUnsafeBytes { all in
            while end < all.count, outcome.error == nil {
                end = min(end + (end == 0 ? first ?? step : step), all.count)
                var wantsMore = false
                while !wantsMore {
                    let input = UnsafeRawBufferPointer(rebasing: all[start..<end])
                    do throws(HTTP1Error) {
                        switch try next(input, &head) {
                        case .needMore: wantsMore = true
                        case .head(let consumed, let keepAlive):
                            start += consumed
                            outcome.messages.append(
                                HTTP1Message(fields: head.list, keepAlive: keepAlive))
                        case .body(let range, let consumed):
                            start += consumed
                            // Interim responses use bytes up before there is a message.
                            if range.isEmpty { continue }
                            outcome.messages[outcome.messages.count - 1].body += input[range]
                        case .end(let consumed):
                            start += consumed
                            outcome.messages[outcome.messages.count - 1].isComplete = true
                        }
                    } catch {
                        outcome.error = error
                        wantsMore = true
                    }
                }
            }
        }
        outcome.unread = outcome.error == nil ? bytes.count - start : 0
        return outcome
    }

    /// Responses as a client connection reads them: chunks lose their framing many at a time.
    static func unframedResponses(
        _ bytes: [UInt8], step: Int, first: Int? = nil
    ) -> HTTP1Outcome {
        var parser = HTTP1ResponseParser(limits: Limits())
        var outcome = HTTP1Outcome()
        var head = FieldBlock()
        var waiting: [UInt8] = []
        var end = 0
        while end < bytes.count {
            let start = end
            end = min(end + (end == 0 ? first ?? step : step), bytes.count)
            waiting += bytes[start..<end]
            let used = waiting.withUnsafeMutableBytes { waiting in
                read(waiting, by: &parser, &head, into: &outcome)
            }
            if outcome.error != nil { return outcome }
            waiting.removeFirst(used)
        }
        outcome.unread = waiting.count
        outcome.closing = parser.inputClosed()
        return outcome
    }

    private static func read(
        _ bytes: UnsafeMutableRawBufferPointer, by parser: inout HTTP1ResponseParser,
        _ head: inout FieldBlock, into outcome: inout HTTP1Outcome
    ) -> Int {
        var offset = 0
        while true {
            var rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            let (payload, used) = parser.unframe(rest)
            if used > 0 {
                outcome.messages[outcome.messages.count - 1].body += rest[payload]
                offset += used
                rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            }
            do throws(HTTP1Error) {
                switch try parser.next(UnsafeRawBufferPointer(rest), into: &head) {
                case .needMore: return offset
                case .head(let consumed, let read):
                    offset += consumed
                    outcome.messages.append(
                        HTTP1Message(fields: head.list, keepAlive: read.keepAlive))
                case .body(let range, let consumed):
                    offset += consumed
                    if range.isEmpty { continue }
                    outcome.messages[outcome.messages.count - 1].body += rest[range]
                case .end(let consumed):
                    offset += consumed
                    outcome.messages[outcome.messages.count - 1].isComplete = true
                }
            } catch {
                outcome.error = error
                return bytes.count
            }
        }
    }
}
