/// What a client that follows the standard (WHATWG HTML 9.2.6) makes of an event stream, written
/// as plainly as the standard and sharing nothing with the gateway's scanner.
struct EventStreamClient {
    struct Event: Equatable {
        var name: [UInt8] = []
        var data: [UInt8] = []
    }

    private(set) var events: [Event] = []
    private var event = Event()
    private var hasData = false

    /// The events of `bytes`; one that has no end is none.
    static func events<Bytes: Collection<UInt8>>(
        of bytes: Bytes, atStart: Bool = true
    ) -> [Event] where Bytes.Index == Int {
        var client = EventStreamClient()
        client.read(bytes, atStart: atStart)
        return client.events
    }

    private mutating func read<Bytes: Collection<UInt8>>(
        _ bytes: Bytes, atStart: Bool
    ) where Bytes.Index == Int {
        var start = bytes.startIndex
        if atStart, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index]
            guard byte == 0x0A || byte == 0x0D else {
                index += 1
                continue
            }
            line(bytes[start..<index])
            index += 1
            if byte == 0x0D, index < bytes.endIndex, bytes[index] == 0x0A { index += 1 }
            start = index
        }
    }

    private mutating func line<Line: Collection<UInt8>>(_ line: Line) where Line.Index == Int {
        guard let first = line.first else { return dispatch() }
        guard first != UInt8(ascii: ":") else { return }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        let name = line[..<(colon ?? line.endIndex)]
        var start = colon.map { $0 + 1 } ?? line.endIndex
        if start < line.endIndex, line[start] == 0x20 { start += 1 }
        if name.elementsEqual("data".utf8) {
            if hasData { event.data.append(0x0A) }
            event.data.append(contentsOf: line[start...])
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            event.name = Array(line[start...])
        }
    }

    private mutating func dispatch() {
        if hasData { events.append(event) }
        event = Event()
        hasData = false
    }
}

extension EventStreamClient.Event {
    /// True if clients of the chat and completion APIs stop here and take the answer for whole.
    var isDone: Bool { data.starts(with: "[DONE]".utf8) }
}
