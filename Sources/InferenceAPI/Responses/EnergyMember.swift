/// Puts a last member into a whole answer's body, which otherwise stays as it came.
public enum EnergyMember {
    /// Splices `"energy": value` in front of the brace that ends the body. A body that is not one
    /// JSON object is left alone. `value` is JSON.
    public static func splice(_ value: String, into body: inout [UInt8]) {
        guard let open = body.firstIndex(where: { !isSpace($0) }), body[open] == 0x7B,
            let close = body.lastIndex(where: { !isSpace($0) }), body[close] == 0x7D,
            open < close,
            body.withUnsafeBytes({ JSONScanner.isValid($0, depth: deepest) })
        else { return }
        let isEmpty = body[(open + 1)..<close].allSatisfy(isSpace)
        let member = (isEmpty ? "" : ",") + "\"energy\":" + value
        body.insert(contentsOf: member.utf8, at: close)
    }

    /// Answers nest a handful of levels.
    private static let deepest = 64

    private static func isSpace(_ unit: UInt8) -> Bool {
        unit == 0x20 || unit == 0x0A || unit == 0x0D || unit == 0x09
    }
}
