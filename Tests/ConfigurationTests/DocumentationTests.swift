import Foundation
import InferenceTypes
import Testing

@testable import Configuration

@Suite struct DocumentationTests {
    private func row(_ key: ConfigurationKey) -> String {
        "| `\(key.path)` | \(key.type) | `\(key.default)` | \(key.meaning) |"
    }

    @Test func everyKeyIsDocumentedAndNothingElse() throws {
        let page = try packageFile("docs/configuration.md").split(separator: "\n").map(String.init)
        let documented = page.filter { $0.hasPrefix("| `") }
        let keys = ConfigurationKey.all + ProfileReader.keys
        #expect(documented == keys.map(row))
    }

    @Test func everyDocumentedKeyIsRead() throws {
        let text = try packageFile("Tests/Fixtures/configuration/full.yaml")
        let (report, read) = GatewayConfiguration.read(
            text: text, profiles: FixedProfiles([testProfile]), environment: ["API_KEY": "k"])
        #expect(report.issues.isEmpty)
        let known = Set(ConfigurationKey.all.map(\.path))
        #expect(known.subtracting(read).sorted() == [])
        #expect(read.subtracting(known).sorted() == [])
        #expect(known.count == ConfigurationKey.all.count)
    }

    @Test func limitsAreAllConfigurableByTheirOwnNames() {
        var names: [String] = []
        for child in Mirror(reflecting: Limits()).children {
            let label = child.label ?? ""
            var name = ""
            for character in label {
                if character.isUppercase { name += "_" }
                name += character.lowercased()
            }
            names.append(child.value is TimeSpan ? name + "_ms" : name)
        }
        #expect(LimitKey.all.map(\.name) == names)
    }

    /// `docs/limits.md` has a row for each limit, with its default, and names tests that exist.
    @Test func everyLimitIsProvenSomewhere() throws {
        let page = try packageFile("docs/limits.md").split(separator: "\n").map(String.init)
        let rows = page.filter { $0.hasPrefix("| `") }
        for key in LimitKey.all {
            let start = "| `\(key.name)` | \(key.defaultValue) | "
            let row = try #require(rows.first { $0.hasPrefix(start) }, "no row \(start)")
            let cells = row.split(separator: "|").map(String.init)
            try #require(cells.count == 5, "\(key.name)")
            // Every second part lies between backquotes.
            let parts = cells[4].split(separator: "`", omittingEmptySubsequences: false)
            let proofs = parts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            #expect(!proofs.isEmpty, "\(key.name) is proven nowhere")
            for proof in proofs { try expectTest(String(proof), of: key.name) }
        }
        #expect(rows.count == LimitKey.all.count)
    }

    /// `proof` is a file of `Tests` and the name of a test in it.
    private func expectTest(_ proof: String, of key: String) throws {
        let parts = proof.components(separatedBy: ": ")
        try #require(parts.count == 2, "\(key): \(proof)")
        let source = try packageFile("Tests/" + parts[0])
        let isThere = ["func ", "def "].contains { source.contains($0 + parts[1] + "(") }
        #expect(isThere, "\(key): there is no test \(proof)")
    }

    @Test func limitsDefaultToTheProgramsOwn() throws {
        #expect(try parse(valid()).get().limits == Limits())
        for key in LimitKey.all {
            let text = valid(with: "limits: {\(key.name): \(key.defaultValue)}")
            #expect(try parse(text).get().limits == Limits(), "\(key.name)")
            let changed = valid(with: "limits: {\(key.name): \(key.defaultValue + 1)}")
            let limits = try parse(changed).get().limits
            #expect(key.value(in: limits) == key.defaultValue + 1, "\(key.name)")
        }
    }

    /// Defaults that are plain values, against what a file without them gives.
    @Test func documentedDefaultsHold() throws {
        let yaml = try parse(
            valid(with: "models: [{name: m, task: classify, dynamic_batching: {}}]")
        ).get().effectiveYAML()
        for key in ConfigurationKey.all where !key.path.contains("[]") {
            let name = key.path.split(separator: ".").last.map(String.init) ?? ""
            let value = key.default == "none" ? "null" : key.default
            guard Int(value) != nil || value == "null" else { continue }
            #expect(yaml.contains("\(name): \(value)\n"), "\(key.path)")
        }
        #expect(yaml.contains("max_queue_delay_microseconds: 2000\n"))
    }
}
