import InferenceTypes

/// The emulated classifier's opinion: a logistic function of how many telltale words are in a
/// message. A stand-in with the right shape, no classifier.
public enum SpamRule {
    /// Lower case.
    public static let telltales = [
        "free", "win", "prize", "claim", "urgent", "http", "click", "cash", "txt", "무료",
        "당첨", "대출", "클릭", "광고", "상품권", "입금",
    ]

    /// 1 / (1 + exp(2.5 - 2.5 n)) for n telltales: 0.076, 0.5, 0.924, 0.993 ...
    public static func probability(of text: [UInt8]) -> Double {
        let lower = text.map { (65...90).contains($0) ? $0 + 32 : $0 }
        var count = 0
        for telltale in needles where contains(lower, telltale) { count += 1 }
        let odds = 1 / (1 + Mathematics.exp(2.5 - 2.5 * Double(count)))
        return (odds * 1e6).rounded() / 1e6
    }

    private static let needles = telltales.map { Array($0.utf8) }

    private static func contains(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, text.count >= needle.count else { return false }
        for start in 0...(text.count - needle.count) where text[start] == first {
            if text[start...].starts(with: needle) { return true }
        }
        return false
    }
}

/// The emulated reranker's opinion: the share of the query's words that the document has.
enum Relevance {
    static func score(query: [UInt8], _ document: [UInt8]) -> Double {
        let wanted = query.split { $0 <= 32 }
        guard !wanted.isEmpty else { return 0 }
        let words = document.split { $0 <= 32 }
        var hits = 0
        for word in wanted where words.contains(where: { $0.elementsEqual(word) }) { hits += 1 }
        return Double(hits) / Double(wanted.count)
    }
}
