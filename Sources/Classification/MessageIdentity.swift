/// What makes two messages the same: the normal form, and the links and numbers in it exactly. Kept
/// for one text after the other, so that nothing is allocated for each.
public struct MessageIdentity {
    private var normaliser = TextNormaliser()
    private var parts = ExactParts()
    /// As UTF-8.
    public private(set) var normal: [UInt8] = []
    /// To be digested; no text.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Reads a text as UTF-8. False if it is too long to be looked at.
    public mutating func read(_ text: UnsafeRawBufferPointer) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        guard normaliser.normalise(text, into: &normal) else { return false }
        bytes.append(contentsOf: normal)
        // Ends the normal form: two texts never meet by what stands on either side of it.
        bytes.append(0xFF)
        if normaliser.mayHoldParts { parts.append(of: text, to: &bytes) }
        return true
    }
}
