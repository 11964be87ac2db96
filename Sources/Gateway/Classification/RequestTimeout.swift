import InferenceTypes
import WireProtocols

/// The field `x-request-timeout-ms`: by when a client wants its answer.
enum RequestTimeout {
    /// Whole milliseconds, 1 to an hour's; `nil` if the field is not there or says anything else.
    static func read(_ head: borrowing FieldBlock) -> TimeSpan? {
        let value = head.withValue(of: "x-request-timeout-ms") { bytes -> Int64? in
            guard 1...7 ~= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes {
                let digit = byte &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return 1...3_600_000 ~= value ? value : nil
        }
        return (value ?? nil).map { .milliseconds($0) }
    }
}
