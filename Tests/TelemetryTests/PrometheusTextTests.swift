import InferenceTypes
import Testing

@testable import Telemetry

@Suite struct PrometheusTextTests {
    private func read(
        _ page: String, limits: PrometheusText.Limits = .init()
    ) -> (samples: [PrometheusSample], summary: PrometheusText.Summary) {
        var samples: [PrometheusSample] = []
        let summary = PrometheusText.parse(Array(page.utf8), limits: limits) {
            samples.append($0)
        }
        return (samples, summary)
    }

    @Test func aPageIsReadLineByLine() {
        let (samples, summary) = read(
            """
            # HELP a Some \\n help
            # TYPE a counter
            a 1
            vllm:b{engine="0",model_name="x\\"y\\\\z\\nw",} 2.5e3 1700000000000
            c{} NaN
            d{l="a,b}c"} +Inf # {trace_id="x"} 1 2
            e -Inf 1.5\r
              f   7

            # EOF
            """)
        #expect(summary == .init(samples: 6, malformedLines: 0, isTruncated: false))
        #expect(samples.map(\.name) == ["a", "vllm:b", "c", "d", "e", "f"])
        #expect(samples[1].label("model_name") == "x\"y\\z\nw")
        #expect(samples[1].label("ENGINE") == "0")
        #expect(samples[1].label("none") == nil)
        #expect(samples[1].value == 2500)
        #expect(samples[1].timestamp == 1_700_000_000_000)
        #expect(samples[2].value.isNaN)
        #expect(samples[3].label("l") == "a,b}c")
        #expect(samples[3].value == .infinity)
        #expect(samples[4].value == -.infinity)
        #expect(samples[4].timestamp == 1_500)
        #expect(samples[5].value == 7)
        #expect(samples[5].isNamed("f") && !samples[5].isNamed("ff"))
    }

    @Test(arguments: [
        "a", "a ", "1a 1", "a{ 1", "a{b} 1", "a{b=c} 1", "a{b=\"c} 1", "a{b=\"c\\\"} 1",
        "a{b=\"c\"", "a{b=\"c\"}", "a x", "a 1 2 3", "a 1 x", "{a=\"b\"} 1", "a-b 1", "a 0x10",
        "a{1=\"x\"} 1", "a 1e", "\u{e9} 1", "=", "}", "a{b=\"c\\",
    ])
    func aMalformedLineIsCountedAndPassedOver(line: String) {
        let (samples, summary) = read("x 1\n\(line)\ny 2\n")
        #expect(samples.map(\.name) == ["x", "y"])
        #expect(summary.malformedLines == 1)
    }

    @Test func limitsHold() {
        var limits = PrometheusText.Limits()
        limits.samples = 2
        limits.lineBytes = 10
        let (samples, summary) = read("a 1\nlonglonglong 1\nb 2\nc 3\nd 4", limits: limits)
        #expect(samples.map(\.name) == ["a", "b"])
        #expect(summary == .init(samples: 2, malformedLines: 1, isTruncated: true))
    }

    @Test func bytesOfAnyKindNeverTrap() {
        var random = RandomSource(seed: 11)
        let good = Array("a{b=\"c\\\"\",d=\"e\"} 1.5 7 # {x=\"y\"} 1\n# TYPE z gauge\nz NaN\n".utf8)
        for _ in 0..<2_000 {
            var page = good
            for _ in 0...random.nextIndex(below: 5) {
                page[random.nextIndex(below: page.count)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            page.removeLast(random.nextIndex(below: page.count))
            PrometheusText.parse(page) { sample in
                _ = sample.name
                _ = sample.label("d")
            }
        }
    }
}
