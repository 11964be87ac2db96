import InferenceTypes
import Testing

@testable import Telemetry

@Suite struct RegistryTests {
    /// A page with every kind of family and every character that needs escaping.
    private func sampleRegistry() -> MetricRegistry {
        var builder = MetricRegistryBuilder()
        let pools = LabelValues("pool", ["haein", "re\"b\\el\n"], spare: 1)
        let codes = LabelValues("status", ["200", "503"])
        let requests = builder.counter(
            "test_requests_total", help: "Requests \"answered\"\nper \\ pool",
            labels: [pools, codes])
        let energy = builder.counter(
            "test_joules_total", help: "Energy", unit: "joules", unitPerCount: 1e-6)
        let open = builder.gauge("test_open", help: "Open now", labels: [pools])
        let latency = builder.histogram(
            "test_overhead_seconds", help: "Own time", layout: .overhead)
        let power = builder.callback(
            MetricDescriptor(
                "test_power_watts", .gauge, help: "Power", unit: "watts",
                labels: ["pool", "meter"]))
        let registry = builder.build(shards: 2)

        requests[1, 1].add(3, shard: registry.shards[0])
        requests[1, 1].add(4, shard: registry.shards[1])
        requests[2, 2].add(shard: registry.shards[1])
        energy[].add(1_500_000, shard: registry.shards[0])
        open[1].add(5, shard: registry.shards[0])
        open[1].add(-7, shard: registry.shards[1])
        open[2].set(9, shard: registry.shards[1])
        latency[].observe(.microseconds(5), shard: registry.shards[0])
        latency[].observe(.microseconds(6), shard: registry.shards[1])
        latency[].observe(seconds: 3.5, shard: registry.shards[0])
        registry.provide(power) {
            [
                LabelledValue(["haein", "m1"], 612.25), LabelledValue(["haein", "m2"], .nan),
                LabelledValue(["rebel", "m3"], .infinity),
            ]
        }
        return registry
    }

    @Test func thePageIsTheGoldenOne() throws {
        let page = text(sampleRegistry())
        #expect(page == (try packageFile("Tests/Fixtures/metrics/page.txt")))
    }

    @Test func whatIsWrittenReadsBack() {
        var values: [String: Double] = [:]
        let summary = PrometheusText.parse(sampleRegistry().render()) { sample in
            let key = [sample.name, sample.label("pool"), sample.label("status"),
                sample.label("le")].compactMap(\.self).joined(separator: "|")
            values[key] = sample.value
        }
        #expect(summary.malformedLines == 0)
        #expect(values["test_requests_total|haein|200"] == 7)
        #expect(values["test_requests_total|re\"b\\el\n|503"] == 1)
        #expect(values["test_joules_total"] == 1.5)
        #expect(values["test_open|haein"] == -2)
        #expect(values["test_overhead_seconds_bucket|+Inf"] == 3)
    }

    @Test func aNewValueTakesASparePlaceAndThenOther() {
        var builder = MetricRegistryBuilder()
        let models = LabelValues("model", ["a"], spare: 1)
        let family = builder.counter("test_total", help: "h", labels: [models])
        let registry = builder.build(shards: 1)
        #expect(models.position(of: "a") == 1)
        #expect(models.position(of: "b") == 2)
        #expect(models.position(of: "c") == LabelValues.other)
        #expect(models.position(of: "b") == 2)
        family[models.position(of: "b")].add(shard: registry.shards[0])
        family[models.position(of: "c")].add(2, shard: registry.shards[0])
        family[99].add(shard: registry.shards[0])
        family[-1].add(shard: registry.shards[0])
        #expect(text(registry).samples == [
            "test_total{model=\"other\"} 4", "test_total{model=\"a\"} 0",
            "test_total{model=\"b\"} 1",
        ])
    }

    @Test func largeFamiliesShowWhatWasTouched() {
        var builder = MetricRegistryBuilder()
        let a = LabelValues("a", (0..<20).map(String.init))
        let b = LabelValues("b", (0..<20).map(String.init))
        let family = builder.counter("test_total", help: "h", labels: [a, b])
        let registry = builder.build(shards: 1)
        #expect(text(registry).samples == [])
        family[20, 20].add(shard: registry.shards[0])
        family[20, 0].add(shard: registry.shards[0])
        #expect(text(registry).samples == [
            "test_total{a=\"19\",b=\"other\"} 1", "test_total{a=\"19\",b=\"19\"} 1",
        ])
    }

    @Test func seriesDoNotShareCells() {
        let labels = [3, 2, 4, 2].enumerated().map { index, count in
            LabelValues("l\(index)", (0..<count).map(String.init))
        }
        let shape = SeriesShape(labels)
        var seen: Set<Int> = []
        for a in 0...3 {
            for b in 0...2 {
                for c in 0...4 {
                    for d in 0...2 {
                        let index = shape.index(a, b, c, d)
                        #expect(seen.insert(index).inserted)
                        #expect(shape.positions(of: index, labels: 4) == [a, b, c, d])
                    }
                }
            }
        }
        #expect(seen.count == shape.count)
        #expect(seen.max() == shape.count - 1)
    }

    @Test func bucketsAscendAndHoldTheirBounds() {
        for layout in BucketLayout.allCases {
            #expect(layout.bounds == layout.bounds.sorted())
            var builder = MetricRegistryBuilder()
            let family = builder.histogram("test_seconds", help: "h", layout: layout)
            let shard = builder.build(shards: 1).shards[0]
            let bounds = layout.bounds
            for (bucket, bound) in bounds.enumerated() {
                family[].observe(TimeSpan(nanoseconds: bound), shard: shard)
                #expect(shard.read(bucket) == 1)
            }
            family[].observe(.never, shard: shard)
            #expect(shard.read(bounds.count) == 1)
        }
        var builder = MetricRegistryBuilder()
        let family = builder.histogram("test_seconds", help: "h", layout: .request)
        let shard = builder.build(shards: 1).shards[0]
        family[].observe(seconds: .nan, shard: shard)
        family[].observe(seconds: -1, shard: shard)
        #expect(shard.read(0) == 2)
        #expect(shard.read(BucketLayout.request.bounds.count + 1) == 0)
    }

    @Test func oneWriterAndOneReaderSeeEveryCount() async {
        var builder = MetricRegistryBuilder()
        let family = builder.counter("test_total", help: "h")
        let registry = builder.build(shards: 4)
        await withTaskGroup(of: Void.self) { group in
            for shard in registry.shards {
                group.addTask { for _ in 0..<20_000 { family[].add(shard: shard) } }
            }
            group.addTask { for _ in 0..<20 { _ = registry.render() } }
        }
        #expect(text(registry).samples == ["test_total 80000"])
    }
}
