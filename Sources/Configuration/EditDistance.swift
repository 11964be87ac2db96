/// Finds the key that a misspelt one was probably meant to be.
enum EditDistance {
    /// Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
    static func between(_ a: String, _ b: String) -> Int {
        let left = Array(a.utf8.prefix(64))
        let right = Array(b.utf8.prefix(64))
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for i in 0..<left.count {
            var current = [i + 1]
            current.reserveCapacity(right.count + 1)
            for j in 0..<right.count {
                var best = previous[j] + (left[i] == right[j] ? 0 : 1)
                best = min(best, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, beforePrevious[j - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }

    /// The nearest of `candidates`, the first of equals; nil if none is near enough to suggest.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let distance = between(word.lowercased(), candidate.lowercased())
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, best.word.utf8.count / 2) else { return nil }
        return best.word
    }
}
