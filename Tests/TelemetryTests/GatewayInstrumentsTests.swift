import InferenceTypes
import Testing

@testable import Telemetry

@Suite struct GatewayInstrumentsTests {
    private func make() -> (GatewayInstruments, MetricRegistry) {
        var builder = MetricRegistryBuilder()
        let instruments = GatewayInstruments(
            names: .init(pools: ["haein"], models: ["ax-4.0"], tenants: ["t"]),
            version: "1.2.3", in: &builder)
        return (instruments, builder.build(shards: 1))
    }

    @Test func aRequestLeavesItsMark() {
        let (instruments, registry) = make()
        let shard = registry.shards[0]
        let model = instruments.models.position(of: "ax-4.0")
        let tenant = instruments.tenants.position(of: "t")
        let pool = instruments.pools.position(of: "haein")
        instruments.requests[
            GatewayInstruments.label(task: .classify), model, tenant,
            GatewayInstruments.label(status: 200)
        ].add(shard: shard)
        instruments.tokens[pool, model, GatewayInstruments.TokenType.cachedInput.rawValue]
            .add(12, shard: shard)
        instruments.rejections[GatewayInstruments.RejectionReason.noEndpoints.rawValue]
            .add(shard: shard)
        instruments.predictedEnergy[
            pool, model, GatewayInstruments.label(provenance: .assumed)
        ].add(2_500_000, shard: shard)
        instruments.connections[
            GatewayInstruments.HTTPVersion.h2.rawValue,
            GatewayInstruments.Encryption(encrypted: true).rawValue
        ].add(1, shard: shard)
        let samples = text(registry).samples
        for expected in [
            #"joulegate_requests_total{task="classify",model="ax-4.0",tenant="t",status="200"} 1"#,
            #"joulegate_tokens_total{pool="haein",model="ax-4.0",token_type="cached_input"} 12"#,
            #"joulegate_rejections_total{reason="no_endpoints"} 1"#,
            #"joulegate_predicted_joules_total{pool="haein",model="ax-4.0",provenance="assumed"}"#
                + " 2.5",
            #"joulegate_connections{protocol="h2",tls="tls"} 1"#,
            #"joulegate_connections{protocol="h1",tls="cleartext"} 0"#,
            #"joulegate_build_info{version="1.2.3"} 1"#,
        ] {
            #expect(samples.contains(expected))
        }
        #expect(samples.contains { $0.hasPrefix("process_resident_memory_bytes ") })
        #expect(samples.contains { $0.hasPrefix("process_cpu_seconds_total ") })
        #expect(samples.contains { $0.hasPrefix("process_open_fds ") })
    }

    @Test func labelPositionsMatchTheirWords() {
        let tasks = LabelValues("task", InferenceTask.allCases.map(\.rawValue))
        for task in InferenceTask.allCases {
            #expect(GatewayInstruments.label(task: task) == tasks.position(of: task.rawValue))
        }
        let words = LabelValues("status", GatewayInstruments.Status.words)
        for code in 0...999 {
            let exact = words.position(of: "\(code)")
            let rough = words.position(of: "\(code / 100)xx")
            let expected = exact == LabelValues.other ? rough : exact
            #expect(GatewayInstruments.label(status: code) == expected, "\(code)")
        }
        let provenances = LabelValues("p", Provenance.allCases.map(\.rawValue))
        for provenance in Provenance.allCases {
            #expect(GatewayInstruments.label(provenance: provenance)
                == provenances.position(of: provenance.rawValue))
        }
        #expect(GatewayInstruments.UpstreamErrorCause.eventTooLong.word == "event_too_long")
    }

    @Test func manyNamesStayBounded() {
        var builder = MetricRegistryBuilder()
        let names = (0..<500).map(String.init)
        let instruments = GatewayInstruments(
            names: .init(pools: names, models: names, tenants: names), version: "v",
            in: &builder)
        #expect(instruments.models.capacity == GatewayInstruments.maxModels + 1)
        #expect(instruments.pools.position(of: "499") == LabelValues.other)
    }

    @Test func namesFollowTheConventions() {
        for descriptor in make().1.descriptors {
            let name = descriptor.name
            #expect(name.hasPrefix("joulegate_") || name.hasPrefix("process_"))
            #expect((descriptor.kind == .counter) == name.hasSuffix("_total"), "\(name)")
            if !descriptor.unit.isEmpty { #expect(name.contains(descriptor.unit), "\(name)") }
            #expect(!descriptor.help.isEmpty)
        }
    }

    @Test func everyFamilyIsDocumentedAndNothingElse() throws {
        let page = try packageFile("docs/metrics.md").split(separator: "\n").map(String.init)
        let rows = page.filter { $0.hasPrefix("| `") }
        let expected = make().1.descriptors.map { descriptor in
            let labels = descriptor.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(descriptor.name)` | \(descriptor.kind.rawValue) | "
                + "\(descriptor.unit.isEmpty ? "-" : descriptor.unit) | "
                + "\(labels.isEmpty ? "-" : labels) | "
        }
        #expect(rows.count == expected.count)
        for (row, start) in zip(rows, expected) {
            #expect(row.hasPrefix(start), "expected \(start)")
            #expect(row.count > start.count + 10, "\(row) gives no advice")
        }
    }

    @Test func theKernelsFiguresAreReadRight() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100 1 1"
        #expect(ProcessFigures.cpuSeconds(stat: stat, ticksPerSecond: 100) == 2)
        #expect(ProcessFigures.cpuSeconds(stat: "7 (a", ticksPerSecond: 100) == nil)
        #expect(ProcessFigures.residentBytes(statm: "10 3 1", pageBytes: 4096) == 12288)
        let limits = "Limit  Soft  Hard\nMax open files            1024      4096     files\n"
        #expect(ProcessFigures.maxDescriptors(limits: limits) == 1024)
        let figures = ProcessFigures.current()
        #expect(figures.residentBytes ?? 0 > 1_000_000)
        #expect(figures.openDescriptors ?? 0 > 2)
    }
}
