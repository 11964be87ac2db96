/// A parser with the properties that hold for every input, whoever thinks the inputs up: libFuzzer
/// (`scripts/fuzz.sh`) or the corpus that `FuzzCorpusTests` replays.
public struct FuzzTarget: Sendable {
    /// Names the folders `corpus/<name>` and `crashes/<name>` and the dictionary `<name>.dict`.
    public let name: String
    /// Longest input that is worth the time, bytes.
    public let longestInput: Int
    private let body: @Sendable (UnsafeRawBufferPointer) throws -> Void

    init(
        _ name: String, longestInput: Int,
        _ body: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.name = name
        self.longestInput = longestInput
        self.body = body
    }

    /// Throws a ``Finding`` if the input shows that a property does not hold.
    public func run(_ input: UnsafeRawBufferPointer) throws { try body(input) }

    public static let all: [FuzzTarget] = [
        .http1Requests, .http1Responses, .http2Frames, .serverSentEvents, .jsonBodies,
        .prometheusPages, .configurationFiles, .journals,
    ]
}

/// A property that does not hold.
public struct Finding: Error, CustomStringConvertible {
    public var description: String
}

@inline(__always)
func require(_ condition: Bool, _ property: @autoclosure () -> String) throws(Finding) {
    if !condition { throw Finding(description: property()) }
}

/// A byte as it would be read in a report: text where it is text.
func shown(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self).debugDescription
}
