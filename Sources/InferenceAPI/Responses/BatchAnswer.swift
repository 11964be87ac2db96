import InferenceTypes

/// A model server's answer to a whole batch: where each message's verdict lies in it.
public struct BatchAnswer: Sendable {
    public struct Entry: Sendable {
        /// The label as a JSON value.
        public var label: Range<Int>
        /// The probabilities as a JSON array.
        public var probabilities: Range<Int>
    }

    /// In the order of the batch.
    public let entries: [Entry]
    public let usage: Usage

    /// `nil` if the body is no answer to `count` messages: an index is missing, there twice or too
    /// large, or a verdict lacks its parts.
    public static func parse(
        _ body: UnsafeRawBufferPointer, count: Int, depth: Int
    ) -> BatchAnswer? {
        let scanner = JSONScanner(body)
        guard let root = try? scanner.validate(depth: depth),
            scanner.kind(at: root.lowerBound) == .object,
            let data = scanner.member("data", of: root),
            scanner.kind(at: data.lowerBound) == .array
        else { return nil }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        // Model servers keep the order; one that does not is understood all the same.
        var strays: [(index: Int, entry: Entry)] = []
        var isSound = true
        scanner.forEachElement(of: data) { element in
            guard let (index, entry) = Self.entry(element, scanner), index < count,
                entries.count + strays.count < count
            else {
                isSound = false
                return false
            }
            if index == entries.count, strays.isEmpty {
                entries.append(entry)
            } else {
                strays.append((index, entry))
            }
            return true
        }
        guard isSound else { return nil }
        for (index, entry) in strays.sorted(by: { $0.index < $1.index }) {
            guard index == entries.count else { return nil }
            entries.append(entry)
        }
        guard entries.count == count else { return nil }
        let usage = scanner.member("usage", of: root).map { UnaryUsage.usage(at: $0, in: scanner) }
        return BatchAnswer(entries: entries, usage: usage ?? Usage())
    }

    private static func entry(
        _ element: Range<Int>, _ scanner: JSONScanner
    ) -> (index: Int, entry: Entry)? {
        guard scanner.kind(at: element.lowerBound) == .object else { return nil }
        var index: Int?
        var label: Range<Int>?
        var probabilities: Range<Int>?
        scanner.forEachMember(of: element) { key, value in
            if scanner.equals(key, "index") {
                index = scanner.integer(value)
            } else if scanner.equals(key, "label") {
                label = value
            } else if scanner.equals(key, "probs") {
                probabilities = value
            }
            return true
        }
        guard let index, index >= 0, let label, let probabilities,
            [.string, .null].contains(scanner.kind(at: label.lowerBound)),
            scanner.kind(at: probabilities.lowerBound) == .array,
            scanner.areProbabilities(probabilities)
        else { return nil }
        return (index, Entry(label: label, probabilities: probabilities))
    }
}

extension JSONScanner {
    /// The numbers of an array; `nil` if anything else is in it.
    public func numbers(of array: Range<Int>, into numbers: inout [Double]) -> Bool {
        numbers.removeAll(keepingCapacity: true)
        guard !array.isEmpty, kind(at: array.lowerBound) == .array else { return false }
        var areNumbers = true
        forEachElement(of: array) { element in
            guard let number = number(element) else {
                areNumbers = false
                return false
            }
            numbers.append(number)
            return true
        }
        return areNumbers
    }

    /// True for an array of at least one number, each from 0 to 1: without that there is no
    /// verdict, whatever the label says.
    func areProbabilities(_ array: Range<Int>) -> Bool {
        var count = 0
        var good = 0
        forEachElement(of: array) { element in
            count += 1
            if let value = number(element), (0...1.000_001).contains(value) { good += 1 }
            return good == count
        }
        return count > 0 && good == count
    }

    /// A number, right to the last bit but one. Written with up to 18 digits it takes no text in
    /// between.
    public func number(_ range: Range<Int>) -> Double? {
        guard !range.isEmpty, kind(at: range.lowerBound) == .number else { return nil }
        var mantissa: Int64 = 0
        var digits = 0
        var decimals = 0
        var hasPoint = false
        var isNegative = false
        for index in range {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "-") where index == range.lowerBound: isNegative = true
            case UInt8(ascii: "."): hasPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if mantissa > 0 || byte > UInt8(ascii: "0") { digits += 1 }
                if hasPoint { decimals += 1 }
                guard digits <= 18, decimals < Self.powersOfTen.count else {
                    return slowNumber(range)
                }
                mantissa = mantissa &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
            default: return slowNumber(range)
            }
        }
        let value = Double(mantissa) / Self.powersOfTen[decimals]
        return isNegative ? -value : value
    }

    private func slowNumber(_ range: Range<Int>) -> Double? {
        guard range.count <= 64 else { return nil }
        return Double(String(decoding: bytes[range], as: UTF8.self)).flatMap {
            $0.isFinite ? $0 : nil
        }
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
