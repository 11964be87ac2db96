/// The file of a scorer, made by `joulegate train-spam`:
///
///     joulegate-linear 1\n            magic and version of the format
///     key value\n                     name, bits, bias, slope, offset, count
///     \n
///     count times: UInt32 place, Float32 weight, little-endian, places ascending
///     UInt64                          FNV-1a of everything before, little-endian
///
/// Only weights that are not zero are there.
extension LinearScorer {
    public enum FileError: Error, CustomStringConvertible {
        case notAScorer, unknownFormat, damaged
        case missing(String)

        public var description: String {
            switch self {
            case .notAScorer: "this is no file of weights"
            case .unknownFormat: "the weights are of a format or size that this program lacks"
            case .damaged: "the file is damaged: its check sum is wrong"
            case .missing(let key): "the file lacks a sound '\(key)'"
            }
        }
    }

    private static let magic = "joulegate-linear "
    private static let format = "1"
    /// Longer ones hold no weights of ours.
    public static let longestFile = 16 + (8 << TextFeatures.bits) + 4_096

    public func file() -> [UInt8] {
        let places = weights.indices.filter { weights[$0] != 0 }
        var bytes = Array("\(Self.magic)\(Self.format)\n".utf8)
        bytes += Array(
            """
            name \(version)
            bits \(TextFeatures.bits)
            bias \(bias)
            slope \(slope)
            offset \(offset)
            count \(places.count)


            """.utf8)
        for place in places {
            Self.append(UInt32(place), to: &bytes)
            Self.append(weights[place].bitPattern, to: &bytes)
        }
        let sum = Self.checkSum(bytes[...])
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: sum >> UInt64(shift)))
        }
        return bytes
    }

    public convenience init(file bytes: [UInt8]) throws(FileError) {
        guard bytes.count <= Self.longestFile, bytes.starts(with: Self.magic.utf8) else {
            throw .notAScorer
        }
        let lines = Self.header(bytes)
        guard lines.fields["format"] == Self.format,
            lines.fields["bits"] == "\(TextFeatures.bits)"
        else { throw .unknownFormat }
        func number<T: LosslessStringConvertible>(_ key: String, _: T.Type) throws(FileError) -> T {
            guard let value = lines.fields[key].flatMap({ T($0) }) else { throw .missing(key) }
            return value
        }
        let count = try number("count", Int.self)
        let (bias, slope) = (try number("bias", Float.self), try number("slope", Double.self))
        let offset = try number("offset", Double.self)
        guard let name = lines.fields["name"], 1...64 ~= name.utf8.count else {
            throw .missing("name")
        }
        guard bias.isFinite, slope.isFinite, offset.isFinite,
            0...(1 << TextFeatures.bits) ~= count,
            bytes.count == lines.end + 8 * count + 8,
            Self.checkSum(bytes[..<(bytes.count - 8)])
                == Self.word(bytes, bytes.count - 8) | Self.word(bytes, bytes.count - 4) << 32
        else { throw .damaged }
        var weights = [Float](repeating: 0, count: 1 << TextFeatures.bits)
        for index in 0..<count {
            let place = Int(Self.word(bytes, lines.end + 8 * index))
            let bits = Self.word(bytes, lines.end + 8 * index + 4)
            let weight = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            guard place < weights.count, weight.isFinite else { throw .damaged }
            weights[place] = weight
        }
        self.init(version: name, weights: weights, bias: bias, slope: slope, offset: offset)
    }

    private static func header(_ bytes: [UInt8]) -> (fields: [String: String], end: Int) {
        var fields: [String: String] = [:]
        var start = 0
        while start < min(bytes.count, 4_096),
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")), end > start
        {
            let line = String(decoding: bytes[start..<end], as: UTF8.self)
            let parts = line.split(separator: " ", maxSplits: 1)
            if start == 0 {
                fields["format"] = parts.last.map(String.init)
            } else if parts.count == 2 {
                fields[String(parts[0])] = String(parts[1])
            }
            start = end + 1
        }
        return (fields, start + 1)
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
        }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for place in 0..<4 { word |= UInt64(bytes[offset + place]) << UInt64(8 * place) }
        return word
    }

    static func checkSum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
