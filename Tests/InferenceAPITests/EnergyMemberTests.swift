import InferenceAPI
import Testing

@Suite struct EnergyMemberTests {
    private func spliced(_ text: String) -> String {
        var body = Array(text.utf8)
        EnergyMember.splice("{\"joules\":1.5}", into: &body)
        return String(decoding: body, as: UTF8.self)
    }

    @Test func theMemberStandsLastAndNothingElseChanges() {
        #expect(spliced("{\"a\": 1.0e2 }\n") == "{\"a\": 1.0e2 ,\"energy\":{\"joules\":1.5}}\n")
        #expect(spliced(" { } ") == " { \"energy\":{\"joules\":1.5}} ")
    }

    @Test(arguments: ["", "[]", "{", "}", "{}}", "null", "{\"a\":1", "plain {text}", "{\"a\":}"])
    func whatIsNoObjectIsLeftAlone(_ text: String) {
        #expect(spliced(text) == text)
    }
}
