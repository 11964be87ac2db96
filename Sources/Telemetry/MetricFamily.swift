/// What a family of series is called and means.
public struct MetricDescriptor: Hashable, Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public var name: String
    public var kind: Kind
    public var help: String
    /// A base unit: `seconds`, `joules`, `bytes`, `watts`; empty for plain numbers.
    public var unit: String
    public var labels: [String]
    /// What one count of a counter is worth on the page: 1e-6 if a counter in joules is fed
    /// microjoules, so that its cells stay exact.
    public var unitPerCount: Double

    public init(
        _ name: String, _ kind: Kind, help: String, unit: String = "", labels: [String] = [],
        unitPerCount: Double = 1
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.unit = unit
        self.labels = labels
        self.unitPerCount = unitPerCount
    }
}

/// Up to four label positions -> one series, row by row. A position that does not exist means
/// `other`.
@usableFromInline
struct SeriesShape: Sendable {
    @usableFromInline let capacity: (Int, Int, Int, Int)

    init(_ labels: [LabelValues]) {
        precondition(labels.count <= 4, "a family has at most four labels")
        let sizes = labels.map(\.capacity) + [1, 1, 1, 1]
        capacity = (sizes[0], sizes[1], sizes[2], sizes[3])
    }

    var count: Int { capacity.0 * capacity.1 * capacity.2 * capacity.3 }

    @inlinable @inline(__always)
    func index(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Int {
        let a = a >= 0 && a < capacity.0 ? a : 0
        let b = b >= 0 && b < capacity.1 ? b : 0
        let c = c >= 0 && c < capacity.2 ? c : 0
        let d = d >= 0 && d < capacity.3 ? d : 0
        return ((a * capacity.1 + b) * capacity.2 + c) * capacity.3 + d
    }

    /// The positions of the series at `index`, for as many labels as the family has.
    func positions(of index: Int, labels: Int) -> [Int] {
        let d = index % capacity.3
        let c = index / capacity.3 % capacity.2
        let b = index / capacity.3 / capacity.2 % capacity.1
        let a = index / capacity.3 / capacity.2 / capacity.1
        return Array([a, b, c, d].prefix(labels))
    }
}

/// Counters that differ in their labels, found by arithmetic alone.
public struct CounterFamily: Sendable {
    @usableFromInline let base: Int
    @usableFromInline let shape: SeriesShape

    /// By the positions of the family's ``LabelValues``, in its order.
    @inlinable @inline(__always)
    public subscript(_ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> Counter {
        Counter(cell: base + shape.index(a, b, c, d))
    }
}

/// Gauges that differ in their labels.
public struct GaugeFamily: Sendable {
    @usableFromInline let base: Int
    @usableFromInline let shape: SeriesShape

    @inlinable @inline(__always)
    public subscript(_ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> Gauge {
        Gauge(cell: base + shape.index(a, b, c, d))
    }
}

/// Histograms that differ in their labels.
public struct HistogramFamily: Sendable {
    @usableFromInline let base: Int
    @usableFromInline let shape: SeriesShape
    @usableFromInline let layout: BucketLayout
    @usableFromInline let width: Int

    @inlinable @inline(__always)
    public subscript(_ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> Histogram {
        Histogram(cell: base + shape.index(a, b, c, d) * width, layout: layout)
    }
}

/// A family whose samples are asked for when the page is rendered.
public struct CallbackFamily: Sendable {
    let index: Int
}

/// One sample of a ``CallbackFamily``: label values in the family's order.
public struct LabelledValue: Hashable, Sendable {
    public var labels: [String]
    public var value: Double

    public init(_ labels: [String] = [], _ value: Double) {
        self.labels = labels
        self.value = value
    }
}
