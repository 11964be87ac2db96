import Foundation
import Scheduling

/// A journal's file, read piece by piece: it may be larger than the memory.
public enum JournalSource {
    /// Throws what opening and reading throw, and ``JournalError`` for what is no journal.
    public static func open(_ path: String) throws -> JournalReader {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        return try JournalReader { count in
            var bytes: [UInt8] = []
            while bytes.count < count {
                guard let piece = try file.read(upToCount: count - bytes.count), !piece.isEmpty
                else { break }
                bytes += piece
            }
            return bytes
        }
    }
}
