import InferenceTypes
import WireProtocols

extension FuzzTarget {
    /// Input: cut, limits, answers, then records of frames (see ``HTTP2Wire``).
    static let http2Frames = FuzzTarget("http2", longestInput: 512) { input in
        guard let (head, records) = input.cut(3) else { return }
        let wire = HTTP2Wire(records, hasPreface: head[1] & 1 == 0)
        let limits = Limits.forHTTP2(head[1])
        try wire.bytes.withUnsafeBytes { bytes in
            try compare(bytes, wire, limits, cut: head[0], answers: head[2])
        }
    }
}

extension Limits {
    fileprivate static func forHTTP2(_ choice: UInt8) -> Limits {
        var limits = Limits()
        if choice & 2 != 0 { limits.concurrentStreams = 2 }
        if choice & 4 != 0 { (limits.headerListBytes, limits.headerFields) = (200, 5) }
        if choice & 8 != 0 { (limits.trailerFields, limits.trailerBytes) = (1, 80) }
        if choice & 16 != 0 { limits.outboundFrames = 4 }
        return limits
    }
}

private func compare(
    _ bytes: UnsafeRawBufferPointer, _ wire: HTTP2Wire, _ limits: Limits, cut choice: UInt8,
    answers: UInt8
) throws {
    // A client that is answered at once.
    guard var prompt = HTTP2Server(limits, .init(isPrompt: true, answers: answers)) else { return }
    try feed(bytes, cut: choice, to: &prompt)
    try check(prompt, wire)

    // A client that is answered at last, so that what it gets cannot depend on the pieces.
    guard var whole = HTTP2Server(limits, .init(isPrompt: false, answers: answers)),
        var pieces = HTTP2Server(limits, .init(isPrompt: false, answers: answers))
    else { return }
    try whole.receive(bytes)
    try feed(bytes, cut: choice, to: &pieces)
    // A stream takes up its place until its end was seen, which is between two pieces.
    guard !wire.dependsOnPieces, wire.streams.count <= limits.concurrentStreams else { return }
    // Too many answers that wait are noticed between two pieces only, and what came with them
    // is then not read any more.
    guard whole.failure == nil, pieces.failure == nil else {
        return try require(
            whole.failure == nil || pieces.failure != nil, "only as a whole is it unusable")
    }
    let signs = (whole.signs, pieces.signs)
    try whole.turn()
    try pieces.turn()
    try check(whole, wire)
    try check(pieces, wire)
    try require(whole.requests == pieces.requests, "other requests in pieces")
    try require(whole.sent == pieces.sent, "answers \(whole.sent), in pieces \(pieces.sent)")
    try require(
        signs.0.glitches == signs.1.glitches && signs.0.lateResets == signs.1.lateResets
            && signs.0.part == signs.1.part && signs.0.isWithinPart == signs.1.isWithinPart,
        "whole: \(signs.0), in pieces: \(signs.1)")
}

private func feed(
    _ bytes: UnsafeRawBufferPointer, cut choice: UInt8, to server: inout HTTP2Server
) throws {
    var lengths = PieceLengths(choice)
    var start = 0
    while start < bytes.count {
        let count = lengths.next(of: bytes.count - start)
        // A copy of its own: ranges must refer to the piece, and nothing may be kept of it.
        let piece = Array(bytes[start..<start + count])
        try piece.withUnsafeBytes { piece in try server.receive(piece) }
        start += count
    }
}

private func check(_ server: borrowing HTTP2Server, _ wire: HTTP2Wire) throws {
    let replies = server.replies
    for (stream, body) in replies.bodies {
        try require(
            HTTP2Server.body.starts(with: body), "stream \(stream) gets \(body.count) other bytes")
    }
    try require(
        replies.dataBytes <= wire.greatestWindow,
        "\(replies.dataBytes) bytes into a window of \(wire.greatestWindow)")
    // A frame is suspicious for at most a handful of reasons.
    try require(
        server.signs.glitches <= 4 * (wire.frames + 1), "\(server.signs.glitches) glitches")
    let bodies = server.requests.reduce(0) { $0 + $1.body.count }
    try require(bodies <= wire.bytes.count, "bodies of \(bodies) bytes")
}
