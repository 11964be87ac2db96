/// Finds members with the same key. Parsers disagree on which of two they keep, and the gateway
/// must not admit one request while the model server runs another.
///
/// One array serves all open objects as a stack, so that a message costs no allocation.
struct KeyLedger {
    private struct Entry {
        /// Equal for equal keys: ``MemberKey/outset``; where there are many, ``MemberKey/digest``.
        var sign: UInt64
        var key: JSONDocument.Node
    }

    /// Up to this many keys, comparing each with each beats sorting.
    private static let fewKeys = 12

    private var entries: [Entry] = []

    init() { entries.reserveCapacity(16) }

    /// Begins an object; what is returned goes to `close`.
    func open() -> Int { entries.count }

    @inline(__always)
    func count(since mark: Int) -> Int { entries.count - mark }

    @inline(__always)
    mutating func add(_ key: MemberKey, at node: JSONDocument.Node) {
        entries.append(Entry(sign: key.outset, key: node))
    }

    /// Ends the object that began at `mark` and returns a key that it has twice, if any.
    mutating func close(_ mark: Int, in document: JSONDocument) -> MemberKey? {
        let count = entries.count - mark
        defer { entries.removeLast(count) }
        if count > Self.fewKeys { return twinOfMany(from: mark, document) }
        for index in entries.indices[mark...] {
            let sign = entries[index].sign
            for other in mark..<index where entries[other].sign == sign {
                if let key = twin(other, index, document) { return key }
            }
        }
        return nil
    }

    /// Outsets can be the same for thousands of different keys, digests cannot.
    private mutating func twinOfMany(from mark: Int, _ document: JSONDocument) -> MemberKey? {
        for index in entries.indices[mark...] {
            let digest = MemberKey(entries[index].key, in: document).digest
            entries[index].sign = UInt64(bitPattern: Int64(digest))
        }
        entries[mark...].sort { $0.sign < $1.sign }
        for index in entries.indices[(mark + 1)...] {
            if let key = twin(index - 1, index, document) { return key }
        }
        return nil
    }

    private func twin(_ a: Int, _ b: Int, _ document: JSONDocument) -> MemberKey? {
        guard entries[a].sign == entries[b].sign else { return nil }
        let key = MemberKey(entries[a].key, in: document)
        return key == MemberKey(entries[b].key, in: document) ? key : nil
    }
}
