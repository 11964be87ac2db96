import InferenceTypes
import Testing

@testable import Configuration

@Suite struct EffectiveConfigurationTests {
    @Test func whatIsPrintedLoadsAgain() throws {
        let extra = """
            meters: [{name: w, source: powercap, path: 'a "b" \\ ${X:-y} #', match: {"k v": 1}}]
            models: [{name: m, aliases: [n], dynamic_batching: {preferred_batch_size: [2]}}]
            classes: {bulk: {slo: {ttft_ms: 5}}}
            site: {pue: 1.25, total_power_limit_watts: 4000}
            shadow_policy: random
            """
        let first = try parse(valid(with: extra)).get()
        let printed = first.effectiveYAML()
        let second = try parse(printed).get()
        #expect(first == second)
        #expect(second.effectiveYAML() == printed)
    }

    @Test func aDollarSurvives() throws {
        let first = try parse(valid(with: "denied_fields: ['$${A}', '$', '$$', a$b]")).get()
        #expect(first.deniedFields == ["${A}", "$", "$$", "a$b"])
        #expect(try parse(first.effectiveYAML()).get() == first)
    }

    /// YAML ends a line at these even between quotes, and a key has one line.
    @Test(arguments: ["\u{85}", "\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}"])
    func whatEndsLinesSurvives(separator: String) throws {
        var first = try parse(valid(with: "")).get()
        first.meters = [
            .init(
                name: "a\(separator)b", source: .powercap, location: .path("/x\(separator)"),
                // Not as the first character, where Foundation takes a byte order mark off.
                match: [.init(label: "k\(separator) v", value: "v\(separator)")], scope: .host)
        ]
        #expect(try parse(first.effectiveYAML()).get() == first)
    }

    @Test func everyKeyIsPrintedAndNoSecret() throws {
        let text = try packageFile("Tests/Fixtures/configuration/full.yaml")
        let printed = try parse(text, environment: ["API_KEY": "s3cret"]).get().effectiveYAML()
        for key in ConfigurationKey.all {
            let name = key.path.split(separator: ".").last.map(String.init) ?? ""
            #expect(printed.contains("\(name):"), "\(key.path)")
        }
        #expect(!printed.contains("s3cret"))
        #expect(!printed.contains("445566"))
    }
}
