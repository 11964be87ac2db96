import InferenceTypes

/// The faults of a server: those of its command line, and those that requests ask for.
public struct FaultPlan: Sendable {
    /// One `--fault`: `name[:number][@probability]`.
    public struct Entry: Equatable, Sendable {
        public var fault: Fault
        /// Share of requests that it strikes, 0 ... 1.
        public var probability: Double
    }

    /// Text that names no fault.
    public struct Unknown: Error, CustomStringConvertible {
        public let text: String

        public var description: String {
            "no fault is called '\(text)'. Known: \(Fault.names.joined(separator: ", "))"
        }
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public init(_ texts: [String]) throws(Unknown) {
        for text in texts {
            guard let entry = Self.parse(text) else { throw Unknown(text: text) }
            entries.append(entry)
        }
    }

    static func parse(_ text: String) -> Entry? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard let name = parts.first, let fault = Fault(name), parts.count <= 2 else {
            return nil
        }
        guard parts.count == 2 else { return Entry(fault: fault, probability: 1) }
        guard let probability = Double(String(parts[1])), (0...1).contains(probability) else {
            return nil
        }
        return Entry(fault: fault, probability: probability)
    }

    /// The faults of one request. Its own ones, comma-separated in `asked`, replace the server's;
    /// "none" asks for none. Words that name no fault are passed over.
    func draw(asked: String?, random: inout RandomSource) -> [Fault] {
        guard let asked else {
            return entries.filter { $0.probability >= 1 || random.nextUnit() < $0.probability }
                .map(\.fault)
        }
        return asked.split(separator: ",").compactMap { word in
            let entry = Self.parse(word.filter { $0 != " " })
            guard let entry else { return nil }
            let strikes = entry.probability >= 1 || random.nextUnit() < entry.probability
            return strikes ? entry.fault : nil
        }
    }
}
