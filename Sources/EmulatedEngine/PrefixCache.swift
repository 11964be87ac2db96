/// Beginnings of earlier prompts as equal blocks, each known by a hash of everything up to its end;
/// the least recently used go first, of one prompt its end before its beginning.
struct PrefixCache: Sendable {
    private struct Node {
        var hash: UInt64
        var newer: Int
        var older: Int
    }

    private static let none = -1

    private var nodes: [Node] = []
    private var places: [UInt64: Int] = [:]
    private var vacant: [Int] = []
    private var newest = PrefixCache.none
    private var oldest = PrefixCache.none

    var count: Int { places.count }

    /// How many of the leading blocks are there.
    func match(_ blocks: [UInt64]) -> Int {
        var count = 0
        while count < blocks.count, places[blocks[count]] != nil { count += 1 }
        return count
    }

    /// The blocks are there now and were used just now; no more than `most` remain.
    mutating func use(_ blocks: ArraySlice<UInt64>, most: Int) {
        for hash in blocks.reversed() {
            if let place = places[hash] {
                unlink(place)
                link(place)
            } else {
                let place = vacant.popLast() ?? nodes.count
                let node = Node(hash: hash, newer: Self.none, older: Self.none)
                if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
                places[hash] = place
                link(place)
            }
        }
        trim(to: most)
    }

    mutating func trim(to most: Int) {
        while count > max(most, 0), oldest != Self.none {
            let place = oldest
            unlink(place)
            places[nodes[place].hash] = nil
            vacant.append(place)
        }
    }

    mutating func removeAll() { self = PrefixCache() }

    private mutating func link(_ place: Int) {
        nodes[place].older = newest
        nodes[place].newer = Self.none
        if newest != Self.none { nodes[newest].newer = place }
        newest = place
        if oldest == Self.none { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let node = nodes[place]
        if node.newer == Self.none { newest = node.older } else {
            nodes[node.newer].older = node.older
        }
        if node.older == Self.none { oldest = node.newer } else {
            nodes[node.older].newer = node.newer
        }
    }
}
