import Synchronization

/// All families of the program, and one ``MetricShard`` per writer. Built once; after that only
/// label values and callbacks can be added, never cells.
public final class MetricRegistry: Sendable {
    public typealias Callback = @Sendable () -> [LabelledValue]

    struct Family: Sendable {
        enum Storage: Sendable {
            case cells(base: Int, shape: SeriesShape, labels: [LabelValues])
            case buckets(
                base: Int, shape: SeriesShape, labels: [LabelValues], layout: BucketLayout)
            case callback
        }

        var descriptor: MetricDescriptor
        var storage: Storage
    }

    /// Samples of one callback beyond this many are left out.
    public static let maxCallbackSamples = 1_000

    let families: [Family]
    /// One per writer, in the order of the writers.
    public let shards: [MetricShard]
    private let callbacks: Mutex<[Int: Callback]>

    public var descriptors: [MetricDescriptor] { families.map(\.descriptor) }

    init(families: [Family], cells: Int, shards: Int, callbacks: [Int: Callback]) {
        self.families = families
        self.shards = (0..<max(1, shards)).map { _ in MetricShard(cells: cells) }
        self.callbacks = Mutex(callbacks)
    }

    /// From now on the family's samples come from `callback`, which runs on the rendering thread.
    public func provide(_ family: CallbackFamily, from callback: @escaping Callback) {
        callbacks.withLock { $0[family.index] = callback }
    }

    /// The page in Prometheus's text format 0.0.4: families in the order of registration, series
    /// in the order of their labels' positions.
    public func render() -> [UInt8] {
        var page = PrometheusWriter()
        let callbacks = callbacks.withLock { $0 }
        for (index, family) in families.enumerated() {
            page.header(family.descriptor)
            switch family.storage {
            case .cells(let base, let shape, let labels):
                renderCells(family.descriptor, base, shape, labels, into: &page)
            case .buckets(let base, let shape, let labels, let layout):
                renderBuckets(family.descriptor, base, shape, labels, layout, into: &page)
            case .callback:
                for sample in (callbacks[index]?() ?? []).prefix(Self.maxCallbackSamples) {
                    page.sample(
                        family.descriptor.name,
                        Array(zip(family.descriptor.labels, sample.labels)), .real(sample.value))
                }
            }
        }
        return page.bytes
    }

    private func total(_ cell: Int) -> UInt64 {
        shards.reduce(0) { $0 &+ $1.read(cell) }
    }

    /// Small families stand on the page from the start, so that a rate has a zero to begin with;
    /// of large products of labels, and of `other`, only the series that are not zero.
    private func renderCells(
        _ descriptor: MetricDescriptor, _ base: Int, _ shape: SeriesShape,
        _ labels: [LabelValues], into page: inout PrometheusWriter
    ) {
        let values = labels.map(\.all)
        let whole = Self.isShownWhole(shape, labels)
        for index in 0..<shape.count {
            let total = total(base + index)
            guard whole || total != 0 else { continue }
            let positions = shape.positions(of: index, labels: labels.count)
            let known = zip(positions, values).allSatisfy { $0 < $1.count }
            guard known, total != 0 || !positions.contains(LabelValues.other) else { continue }
            let value: PrometheusWriter.Value =
                switch descriptor.kind {
                case .gauge: .integer(Int64(bitPattern: total))
                case .counter, .histogram:
                    descriptor.unitPerCount == 1
                        ? .count(total) : .real(Double(total) * descriptor.unitPerCount)
                }
            page.sample(
                descriptor.name, Self.pairs(descriptor, positions, values), value)
        }
    }

    private func renderBuckets(
        _ descriptor: MetricDescriptor, _ base: Int, _ shape: SeriesShape,
        _ labels: [LabelValues], _ layout: BucketLayout, into page: inout PrometheusWriter
    ) {
        let values = labels.map(\.all)
        let bounds = layout.bounds
        let width = Histogram.width(of: layout)
        let whole = Self.isShownWhole(shape, labels)
        for index in 0..<shape.count {
            let first = base + index * width
            let counts = (0...bounds.count).map { total(first + $0) }
            let touched = counts.contains { $0 != 0 }
            guard whole || touched else { continue }
            let positions = shape.positions(of: index, labels: labels.count)
            let known = zip(positions, values).allSatisfy { $0 < $1.count }
            guard known, touched || !positions.contains(LabelValues.other) else { continue }
            let pairs = Self.pairs(descriptor, positions, values)
            var cumulative: UInt64 = 0
            for (bucket, count) in counts.enumerated() {
                cumulative &+= count
                let bound = bucket < bounds.count
                    ? PrometheusWriter.text(Double(bounds[bucket]) / 1e9) : "+Inf"
                page.sample(descriptor.name + "_bucket", pairs + [("le", bound)],
                    .count(cumulative))
            }
            let sum = Double(total(first + bounds.count + 1)) / 1e9
            page.sample(descriptor.name + "_sum", pairs, .real(sum))
            page.sample(descriptor.name + "_count", pairs, .count(cumulative))
        }
    }

    private static func isShownWhole(_ shape: SeriesShape, _ labels: [LabelValues]) -> Bool {
        labels.count < 2 || shape.count <= 128
    }

    private static func pairs(
        _ descriptor: MetricDescriptor, _ positions: [Int], _ values: [[String]]
    ) -> [(String, String)] {
        descriptor.labels.indices.map { (descriptor.labels[$0], values[$0][positions[$0]]) }
    }
}
