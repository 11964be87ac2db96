import Synchronization

/// The values that one label may take, by position. Position 0 is `other`: whatever came after
/// the list was full. So the number of series is bounded before the first request comes.
public final class LabelValues: Sendable {
    public static let other = 0

    public let name: String
    /// Positions there will ever be, `other` included.
    public let capacity: Int
    private let values: Mutex<[String]>

    /// - Parameter spare: places for values that only a reload brings.
    public init(_ name: String, _ values: [String], spare: Int = 0) {
        self.name = name
        capacity = 1 + values.count + max(0, spare)
        self.values = Mutex(["other"] + values)
    }

    /// The position of `value`; takes a spare place if it is new and there is one, else 0. For the
    /// control thread: it takes a lock and compares texts.
    public func position(of value: String) -> Int {
        values.withLock { values in
            if let position = values.firstIndex(of: value) { return position }
            guard values.count < capacity else { return Self.other }
            values.append(value)
            return values.count - 1
        }
    }

    /// In the order of their positions.
    var all: [String] { values.withLock { $0 } }
}

/// A label whose values are the cases of an enumeration, numbered from 1. Their words on the page
/// are the case names in snake case.
public protocol ClosedLabel: CaseIterable, RawRepresentable, Sendable where RawValue == Int {}

extension ClosedLabel {
    /// `noEndpoints` becomes `no_endpoints`.
    public var word: String {
        "\(self)".reduce(into: "") { word, character in
            if character.isUppercase { word += "_" }
            word += character.lowercased()
        }
    }
}
