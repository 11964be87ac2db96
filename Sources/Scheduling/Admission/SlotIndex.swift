import InferenceTypes

/// From request ids to slots: open addressing with linear probing. The ids are the shell's own
/// counters, which nobody outside can choose, so they need no seeded hash; that was most of what
/// five look-ups a request cost in a dictionary.
struct SlotIndex: Sendable {
    private struct Entry {
        var id = RequestID(0)
        /// Below 0: nothing here.
        var slot = -1
    }

    /// A power of two of them, half empty at least.
    private var entries = [Entry](repeating: Entry(), count: 64)
    private(set) var count = 0

    func slot(of id: RequestID) -> Int? {
        var place = home(of: id)
        while entries[place].slot >= 0 {
            if entries[place].id == id { return entries[place].slot }
            place = (place &+ 1) & (entries.count &- 1)
        }
        return nil
    }

    /// `id` must not be in the index.
    mutating func insert(_ id: RequestID, slot: Int) {
        if 2 * (count + 1) > entries.count { grow() }
        var place = home(of: id)
        while entries[place].slot >= 0 { place = (place &+ 1) & (entries.count &- 1) }
        entries[place] = Entry(id: id, slot: slot)
        count += 1
    }

    mutating func remove(_ id: RequestID) {
        let mask = entries.count &- 1
        var hole = home(of: id)
        while entries[hole].id != id || entries[hole].slot < 0 {
            if entries[hole].slot < 0 { return }
            hole = (hole &+ 1) & mask
        }
        count -= 1
        // Whoever was pushed past the hole moves up into it, so that no search ends there.
        var place = hole
        while true {
            place = (place &+ 1) & mask
            guard entries[place].slot >= 0 else { break }
            let distance = (place &- home(of: entries[place].id)) & mask
            guard distance >= (place &- hole) & mask else { continue }
            entries[hole] = entries[place]
            hole = place
        }
        entries[hole].slot = -1
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(), count: 2 * old.count)
        count = 0
        for entry in old where entry.slot >= 0 { insert(entry.id, slot: entry.slot) }
    }

    /// The upper bits of a product hang on all bits of the id.
    @inline(__always)
    private func home(of id: RequestID) -> Int {
        let product = id.rawValue &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 32) & (entries.count &- 1)
    }
}
