import InferenceTypes
import WireProtocols

private typealias Reading = HTTP1Reading<HTTP1RequestHead>

extension FuzzTarget {
    /// Input: cut, limits, then requests one behind the other.
    static let http1Requests = FuzzTarget("http1-request", longestInput: 512) { input in
        guard let (head, bytes) = input.cut(2) else { return }
        let limits = Limits.forHTTP1(head[1])
        let whole = try read(bytes, nil, limits)
        try whole.requireSame(as: read(bytes, head[0], limits))
        for message in whole.messages {
            try check(message, limits)
            try checkBody(of: message, in: bytes)
            try checkNextHop(message)
        }
    }
}

extension Limits {
    /// Usual ones, or so small that an input of the fuzzer's comes up against them.
    static func forHTTP1(_ choice: UInt8) -> Limits {
        var limits = Limits()
        if choice & 1 != 0 { (limits.headerListBytes, limits.upstreamHeaderBytes) = (120, 90) }
        if choice & 2 != 0 { limits.uriBytes = 12 }
        if choice & 4 != 0 { limits.headerFields = 3 }
        if choice & 8 != 0 { (limits.trailerFields, limits.trailerBytes) = (2, 24) }
        if choice & 16 != 0 { limits.chunkExtensionBytes = 6 }
        return limits
    }

    /// What a parser may hold at most of a message that is not whole: a head, a chunk's size line
    /// or a trailer's.
    func heldBytes(ofHead head: Int) -> Int {
        max(head, 16 + chunkExtensionBytes + 2, trailerBytes) + 8
    }
}

private func read(
    _ bytes: UnsafeRawBufferPointer, _ choice: UInt8?, _ limits: Limits
) throws -> Reading {
    var parser = HTTP1RequestParser(limits: limits)
    let reading = try Reading(bytes, cut: choice) { input, head throws(HTTP1Error) in
        switch try parser.next(input, into: &head) {
        case .needMore: .needMore
        case .head(let consumed, let head): .head(consumed: consumed, head)
        case .body(let range, let consumed): .body(range, consumed: consumed)
        case .end(let consumed): .end(consumed: consumed)
        }
    }
    if reading.error == nil {
        let most = limits.heldBytes(ofHead: limits.headerListBytes + limits.uriBytes)
        try require(reading.mostHeld <= most, "holds \(reading.mostHeld) bytes")
    }
    return reading
}

private func check(_ message: Reading.Message, _ limits: Limits) throws {
    try require(message.listSize <= limits.headerListBytes, "a head of \(message.listSize) bytes")
    try require(
        message.fields.count <= limits.headerFields + 3, "\(message.fields.count) fields")
    try require(message.fields.first?.isNamed(":method") == true, "no method in front")
    var counts = (authority: 0, path: 0, length: 0)
    for field in message.fields {
        try field.requireSound()
        try require(!field.isOfOneHop, "the next hop would get \(shown(field.name))")
        try require(!field.isNamed("host"), "a host beside :authority")
        if field.isNamed(":authority") { counts.authority += 1 }
        if field.isNamed(":path") { counts.path += 1 }
        if field.isNamed("content-length") { counts.length += 1 }
    }
    let head = message.head
    try require(counts.authority <= 1 && counts.path <= 1, "\(counts)")
    try require(counts.authority == 1 || head.minorVersion == 0, "no authority")
    try require(counts.length == (head.contentLength == nil ? 0 : 1), "\(counts), \(head)")
    try require(!head.isChunked || head.contentLength == nil, "length and chunks")
}

private func checkBody(
    of message: Reading.Message, in bytes: UnsafeRawBufferPointer
) throws {
    guard let end = message.end else { return }
    let framed = UnsafeRawBufferPointer(rebasing: bytes[message.bodyStart..<end])
    let body = message.head.isChunked ? HTTP1ChunkReference.decoded(framed) : Array(framed)
    try require(body == message.body, "the body of \(shown(framed)): \(shown(message.body))")
    try require(
        message.head.isChunked || body?.count == message.head.contentLength ?? 0,
        "a body of \(body?.count ?? -1) bytes")
}

/// A hop that is sent what was read must read the same.
private func checkNextHop(_ message: Reading.Message) throws {
    guard message.head.minorVersion == 1, !message.fields.contains(where: isConnect) else { return }
    func value(_ name: StaticString) -> [UInt8] {
        message.fields.first { $0.isNamed(name) }?.value ?? []
    }
    var text = value(":method") + [0x20] + value(":path") + Array(" HTTP/1.1\r\nhost: ".utf8)
    text += value(":authority") + [0x0D, 0x0A]
    for field in message.fields where !field.isPseudo {
        text += field.name + Array(": ".utf8) + field.value + [0x0D, 0x0A]
    }
    text += [0x0D, 0x0A]
    let reading = try text.withUnsafeBytes { text in
        try read(text, nil, Limits())
    }
    func sorted(_ fields: [Reading.Field]) -> [Reading.Field] {
        fields.filter(\.isPseudo).sorted { $0.name.lexicographicallyPrecedes($1.name) }
            + fields.filter { !$0.isPseudo }
    }
    try require(
        reading.messages.first.map { sorted($0.fields) } == sorted(message.fields),
        "the next hop reads something else of \(shown(text))")
}

private func isConnect(_ field: Reading.Field) -> Bool {
    field.isNamed(":method") && field.value.elementsEqual("CONNECT".utf8)
}
