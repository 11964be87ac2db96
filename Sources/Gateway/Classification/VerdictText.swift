import InferenceAPI

/// Small pieces of JSON, written without a text in between.
enum VerdictText {
    /// Six decimals; what is rounded to them still adds up with its complement.
    static func append(probability: Double, to bytes: inout [UInt8]) {
        let millionths = Int((min(max(probability, 0), 1) * 1e6).rounded())
        bytes.append(millionths >= 1_000_000 ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        bytes.append(UInt8(ascii: "."))
        var rest = millionths % 1_000_000
        var power = 100_000
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / power))
            rest %= power
            power /= 10
        }
    }

    static func append(number: Int, to bytes: inout [UInt8]) {
        guard number >= 10 else {
            bytes.append(UInt8(ascii: "0") + UInt8(max(0, number)))
            return
        }
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { digits in
            var place = digits.count
            var rest = number
            while rest > 0 {
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            bytes.append(contentsOf: digits[place...])
        }
    }
}
