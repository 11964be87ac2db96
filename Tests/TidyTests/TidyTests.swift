import Foundation
import Testing

/// Reads the sources and holds them to the rules of the house.
@Suite struct TidyTests {
    /// Every Swift and C file of the package's own.
    static func sources() throws -> [SourceText] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var sources: [SourceText] = []
        for top in ["Sources", "Tests"] {
            let root = folder.appendingPathComponent(top)
            let files = FileManager.default.enumerator(atPath: root.path)
            while let file = files?.nextObject() as? String {
                guard [".swift", ".h", ".c"].contains(where: file.hasSuffix) else { continue }
                let text = try String(
                    contentsOf: root.appendingPathComponent(file), encoding: .utf8)
                sources.append(SourceText(path: top + "/" + file, text: text))
            }
        }
        return sources.sorted { $0.path < $1.path }
    }

    @Test func theHouseIsTidy() throws {
        let sources = try Self.sources()
        #expect(sources.count > 20)
        for rule in Rule.all {
            let violations = sources.flatMap(rule.check)
            #expect(
                violations.isEmpty,
                "\(rule.name):\n\(violations.map(\.description).joined(separator: "\n"))")
        }
    }

    @Test func everyRoomIsInTheTable() throws {
        let rooms = Set(try Self.sources().filter { $0.path.hasSuffix(".swift") && $0.isSource }
            .map(\.room))
        #expect(rooms.subtracting(Rule.allowedImports.keys).isEmpty)
    }
}
