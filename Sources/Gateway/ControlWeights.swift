import Classification
import Foundation

/// Files of weights, read where blocking is allowed: at start and on the control thread.
enum ControlWeights {
    struct Unreadable: Error, CustomStringConvertible {
        let path: String
        let reason: String
        var description: String { "\(path): \(reason)" }
    }

    static func load(_ path: String) throws -> LinearScorer {
        let url = URL(fileURLWithPath: path)
        let size = (try? url.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0
        guard size <= LinearScorer.longestFile, let data = try? Data(contentsOf: url) else {
            throw Unreadable(path: path, reason: "the weights cannot be read")
        }
        do {
            return try LinearScorer(file: Array(data))
        } catch {
            throw Unreadable(path: path, reason: "\(error)")
        }
    }
}
