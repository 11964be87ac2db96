/// A client's own identifier for a request, from `x-request-id`.
public enum RequestIdentifier {
    /// Longest identifier that is passed on.
    static let greatestCount = 128

    /// The identifier if it is safe in headers and logs; `nil` if it is to be ignored.
    public static func validated(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard 1...greatestCount ~= bytes.count, bytes.allSatisfy(isAllowed) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "="),
            UInt8(ascii: "@"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
