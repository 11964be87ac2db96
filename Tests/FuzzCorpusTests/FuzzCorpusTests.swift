import Foundation
import FuzzTargets
import Testing

/// Replays the inputs that libFuzzer starts from, and those it once found, without libFuzzer: a
/// regression fails here, in a debug build with all of its checks.
@Suite struct FuzzCorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz")

    private static func inputs(_ kind: String, _ target: String) throws -> [URL] {
        let folder = folder.appendingPathComponent(kind).appendingPathComponent(target)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
    }

    @Test("every recorded input keeps to its target's properties", arguments: FuzzTarget.all)
    func replay(_ target: FuzzTarget) throws {
        let seeds = try Self.inputs("corpus", target.name)
        #expect(seeds.count > 4, "\(target.name) has hardly any seeds")
        for file in try seeds + Self.inputs("crashes", target.name) {
            let bytes = try [UInt8](Data(contentsOf: file))
            do {
                try bytes.withUnsafeBytes { try target.run($0) }
            } catch {
                Issue.record("\(file.path): \(error)")
            }
        }
    }

    @Test("every cut of a seed keeps to them too", arguments: FuzzTarget.all)
    func cuts(_ target: FuzzTarget) throws {
        for file in try Self.inputs("corpus", target.name) {
            let bytes = try [UInt8](Data(contentsOf: file))
            let step = max(1, bytes.count / 8)
            for count in stride(from: 0, to: bytes.count, by: step) {
                do {
                    try bytes[..<count].withUnsafeBytes { try target.run($0) }
                } catch {
                    Issue.record("the first \(count) bytes of \(file.path): \(error)")
                }
            }
        }
    }

    @Test("every folder of inputs belongs to a target")
    func folders() throws {
        let names = Set(FuzzTarget.all.map(\.name))
        for kind in ["corpus", "crashes"] {
            let path = Self.folder.appendingPathComponent(kind).path
            let found = try? FileManager.default.contentsOfDirectory(atPath: path)
            #expect(Set(found ?? []).isSubset(of: names))
        }
        for name in names {
            let path = Self.folder.appendingPathComponent("dictionaries/\(name).dict").path
            #expect(FileManager.default.fileExists(atPath: path), "\(name) has no dictionary")
        }
    }
}
