import InferenceTypes
import Testing

@testable import Configuration

@Suite struct MeterOverlapTests {
    private func mistakes(_ first: String, _ second: String, named: String = "[m, n]") -> [String] {
        lines(
            parse(
                """
                listeners: [{port: 1}]
                meters:
                  - {name: m, source: hwmon, path: a, scope: \(first)}
                  - {name: n, source: hwmon, path: b, scope: \(second)}
                pools:
                  - name: p
                    engine: vllm
                    profile: test
                    endpoints: [{url: "http://h:1", meters: \(named)}]
                    models: [{name: a}]
                models: [{name: a}]
                """))
    }

    @Test func metersOfOneEndpointThatSeeTheSameWattsAreRefused() {
        #expect(mistakes("card", "accelerator").contains { $0.contains("see the same watts") })
        #expect(mistakes("host", "wall").contains { $0.contains("see the same watts") })
        #expect(mistakes("card", "host", named: "[m, m]").contains { $0.contains("named twice") })
    }

    @Test func metersOfDifferentPartsAreAddedUp() {
        #expect(mistakes("card", "host") == [])
        #expect(mistakes("accelerator", "accelerator") == [])
    }
}
