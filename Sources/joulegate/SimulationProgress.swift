import Foundation

/// One line on the terminal that says how far a comparison is; nothing if nobody looks.
struct SimulationProgress {
    private let total: Int
    private var done = 0
    /// A table on the same terminal is progress enough.
    private let isShown = isatty(2) == 1 && isatty(1) == 0

    init(total: Int) { self.total = max(total, 1) }

    mutating func next(_ name: String) {
        guard isShown else { return }
        let filled = 30 * done / total
        let bar =
            String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
        write("\r[\(bar)] \(done)/\(total) \(name.prefix(40))\u{1B}[K")
        done += 1
    }

    func end() { if isShown { write("\r\u{1B}[K") } }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
