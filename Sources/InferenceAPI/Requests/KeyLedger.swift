/// Finds members with the same key. Parsers disagree on which of two they keep, and the gateway
/// must not admit one request while the model server runs another.
///
/// One of each object. It takes down signs of the first keys alone, which costs no allocation; if
/// two are the same, or if there are more keys, the object's keys are read again.
struct KeyLedger {
    /// Up to this many keys, comparing each with each beats sorting.
    private static let fewKeys = 12

    /// Equal for equal keys, see ``MemberKey/outset``.
    private var signs = InlineArray<12, UInt64>(repeating: 0)
    private(set) var count = 0
    /// False: no key is there twice.
    private(set) var isInDoubt = false

    @inline(__always)
    mutating func add(_ sign: UInt64) {
        if count < Self.fewKeys {
            for index in 0..<count where signs[index] == sign { isInDoubt = true }
            signs[count] = sign
        } else {
            isInDoubt = true
        }
        count &+= 1
    }

    private struct Entry {
        /// An outset; where there are many, a digest.
        var sign: UInt64
        var key: JSONDocument.Node
    }

    /// A key that the object has twice, if any.
    @inline(never)
    static func twin(
        in object: JSONDocument.Node, of document: borrowing JSONDocument
    ) -> MemberKey? {
        var entries: [Entry] = []
        document.forEachMember(of: object) { key, _ in
            entries.append(Entry(sign: MemberKey(key, in: document).outset, key: key))
            return true
        }
        // Outsets can be the same for thousands of different keys, digests cannot.
        if entries.count > fewKeys {
            for index in entries.indices {
                let digest = MemberKey(entries[index].key, in: document).digest
                entries[index].sign = UInt64(bitPattern: Int64(digest))
            }
            entries.sort { $0.sign < $1.sign }
            for index in entries.indices.dropFirst() {
                if let key = twin(entries[index - 1], entries[index], document) { return key }
            }
            return nil
        }
        for index in entries.indices {
            for other in 0..<index {
                if let key = twin(entries[other], entries[index], document) { return key }
            }
        }
        return nil
    }

    private static func twin(
        _ a: Entry, _ b: Entry, _ document: borrowing JSONDocument
    ) -> MemberKey? {
        guard a.sign == b.sign else { return nil }
        let key = MemberKey(a.key, in: document)
        return key == MemberKey(b.key, in: document) ? key : nil
    }
}
