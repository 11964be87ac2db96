/// Finds members with the same key. Parsers disagree on which of two they keep, and the gateway
/// must not admit one request while the model server runs another.
///
/// One array serves all open objects as a stack, so that a message costs no allocation.
struct KeyLedger {
    private struct Entry {
        /// Only known where there are many.
        var digest = 0
        var key: Range<Int>
        var hasEscapes: Bool
    }

    /// Up to this many keys, comparing each with each beats sorting.
    private static let fewKeys = 12

    private var entries: [Entry] = []

    init() { entries.reserveCapacity(16) }

    /// Begins an object; what is returned goes to `close`.
    func open() -> Int { entries.count }

    func count(since mark: Int) -> Int { entries.count - mark }

    mutating func add(_ key: MemberKey, at range: Range<Int>) {
        entries.append(Entry(key: range, hasEscapes: key.hasEscapes))
    }

    /// Ends the object that began at `mark` and returns a key that it has twice, if any.
    mutating func close(_ mark: Int, in scanner: JSONScanner) -> MemberKey? {
        defer { entries.removeSubrange(mark...) }
        if entries.count - mark > Self.fewKeys {
            for index in entries.indices[mark...] {
                entries[index].digest = MemberKey(entries[index].key, in: scanner).digest
            }
            entries[mark...].sort { $0.digest < $1.digest }
            for index in entries.indices[(mark + 1)...] {
                if let key = twin(index - 1, index, scanner) { return key }
            }
            return nil
        }
        for index in entries.indices[mark...] {
            for other in mark..<index where mayBeTwins(other, index) {
                if let key = twin(other, index, scanner) { return key }
            }
        }
        return nil
    }

    /// False for two keys of different length that are written without escapes.
    @inline(__always)
    private func mayBeTwins(_ a: Int, _ b: Int) -> Bool {
        entries[a].key.count == entries[b].key.count || entries[a].hasEscapes
            || entries[b].hasEscapes
    }

    private func twin(_ a: Int, _ b: Int, _ scanner: JSONScanner) -> MemberKey? {
        guard entries[a].digest == entries[b].digest else { return nil }
        let key = MemberKey(entries[a].key, in: scanner)
        return key == MemberKey(entries[b].key, in: scanner) ? key : nil
    }
}
