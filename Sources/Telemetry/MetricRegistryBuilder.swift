/// Collects families before the registry's cells are laid out.
public struct MetricRegistryBuilder {
    private var families: [MetricRegistry.Family] = []
    private var callbacks: [Int: MetricRegistry.Callback] = [:]
    private var cells = 0

    public init() {}

    /// - Parameter unitPerCount: see ``MetricDescriptor/unitPerCount``.
    public mutating func counter(
        _ name: String, help: String, unit: String = "", labels: [LabelValues] = [],
        unitPerCount: Double = 1
    ) -> CounterFamily {
        let shape = SeriesShape(labels)
        let family = CounterFamily(base: cells, shape: shape)
        append(
            MetricDescriptor(
                name, .counter, help: help, unit: unit, labels: labels.map(\.name),
                unitPerCount: unitPerCount),
            .cells(base: cells, shape: shape, labels: labels))
        cells += shape.count
        return family
    }

    public mutating func gauge(
        _ name: String, help: String, unit: String = "", labels: [LabelValues] = []
    ) -> GaugeFamily {
        let shape = SeriesShape(labels)
        let family = GaugeFamily(base: cells, shape: shape)
        append(
            MetricDescriptor(
                name, .gauge, help: help, unit: unit, labels: labels.map(\.name)),
            .cells(base: cells, shape: shape, labels: labels))
        cells += shape.count
        return family
    }

    /// A histogram of durations; its unit is seconds.
    public mutating func histogram(
        _ name: String, help: String, layout: BucketLayout, labels: [LabelValues] = []
    ) -> HistogramFamily {
        let shape = SeriesShape(labels)
        let width = Histogram.width(of: layout)
        let family = HistogramFamily(base: cells, shape: shape, layout: layout, width: width)
        append(
            MetricDescriptor(
                name, .histogram, help: help, unit: "seconds", labels: labels.map(\.name)),
            .buckets(base: cells, shape: shape, labels: labels, layout: layout))
        cells += shape.count * width
        return family
    }

    /// A family without cells. Without `callback` it is empty until
    /// ``MetricRegistry/provide(_:from:)``.
    public mutating func callback(
        _ descriptor: MetricDescriptor, from callback: MetricRegistry.Callback? = nil
    ) -> CallbackFamily {
        let family = CallbackFamily(index: families.count)
        callbacks[families.count] = callback
        append(descriptor, .callback)
        return family
    }

    /// Lays out the cells, once per writer.
    public func build(shards: Int) -> MetricRegistry {
        MetricRegistry(families: families, cells: cells, shards: shards, callbacks: callbacks)
    }

    private mutating func append(
        _ descriptor: MetricDescriptor, _ storage: MetricRegistry.Family.Storage
    ) {
        precondition(
            !families.contains { $0.descriptor.name == descriptor.name },
            "two families have one name")
        families.append(MetricRegistry.Family(descriptor: descriptor, storage: storage))
    }
}
