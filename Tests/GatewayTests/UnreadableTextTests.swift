import Testing

@testable import Gateway

extension OverSockets {
    /// Texts that are no Unicode.
    @Suite struct UnreadableTextTests {
        @Test func oneHalfOfASurrogatePairIsSetAside() throws {
            try ClassifierBench.run { bench in
                bench.server.play { [ClassifierBench.verdicts(ClassifierBench.texts($0))] }
                let response = bench.classify(["a", "x\\ud800y", "b", "\\uDE00", "\\ud83d\\ude00"])
                #expect(response.status == 200)
                #expect(
                    ClassifierBench.labels(response)
                        == ["a", "undecided", "b", "undecided", "😀"])
                let entry = ClassifierBench.entries(response)[1]
                #expect(entry["reason"] as? String == "invalid_text")
                #expect(entry["status"] as? Int == 400)
                #expect(bench.upstreamCount == 1)
                #expect(bench.server.requests.last?.contains("ud800") == false)
            }
        }

        @Test func aloneItIs400() throws {
            try ClassifierBench.run { bench in
                let response = bench.classify(["\\ud800"])
                #expect(response.status == 400)
                let error = ClassifierBench.error(response)
                #expect(error["param"] as? String == "input")
                #expect(error["code"] as? String == "invalid_text")
                #expect(bench.upstreamCount == 0)
            }
        }
    }
}
