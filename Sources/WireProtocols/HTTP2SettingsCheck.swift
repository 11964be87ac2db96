/// Judges every entry of a SETTINGS frame on its way. Of an identifier that comes twice in one
/// frame the library sees the last value only, and so would let a bad one pass that is mended
/// before the frame ends (RFC 9113 6.5.3 has them take effect in their order).
struct HTTP2SettingsCheck {
    private var entry: UInt64 = 0
    private var filled = 0

    private static let entryBytes = 6

    mutating func begin() {
        entry = 0
        filled = 0
    }

    /// Takes the next bytes of the payload; returns an error code if they complete a bad entry.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> HTTP2ErrorCode? {
        for byte in bytes {
            entry = entry << 8 | UInt64(byte)
            filled += 1
            guard filled == Self.entryBytes else { continue }
            let error = Self.judge(id: entry >> 32, value: entry & 0xFFFF_FFFF)
            begin()
            if let error { return error }
        }
        return nil
    }

    /// RFC 9113 6.5.2, RFC 8441 3 (0x8), RFC 9218 2.1 (0x9).
    private static func judge(id: UInt64, value: UInt64) -> HTTP2ErrorCode? {
        switch id {
        case 0x2, 0x8, 0x9: value <= 1 ? nil : .protocolError
        case 0x4: value <= HTTP2Session.largestWindow ? nil : .flowControlError
        case 0x5: 16_384...16_777_215 ~= value ? nil : .protocolError
        default: nil
        }
    }
}

/// Error codes of RFC 9113 7 for faults that are found beside the library.
public enum HTTP2ErrorCode: UInt32, Sendable {
    case protocolError = 0x1
    case flowControlError = 0x3
    case frameSizeError = 0x6
    case enhanceYourCalm = 0xb
}
