/// `${NAME}` and `${NAME:-default}` in scalars. What the environment holds is not looked into
/// again. `$${` stands for a literal `${`.
enum Interpolation {
    enum Failure: Error, Equatable {
        case unset(String)
        case unclosed
        case badName(String)

        var message: String {
            switch self {
            case .unset(let name):
                "environment variable \(name) is not set; write ${\(name):-default} to allow that"
            case .unclosed: "'${' without its '}'"
            case .badName(let name):
                "'\(name)' is not the name of an environment variable (letters, digits, _)"
            }
        }
    }

    static func expand(
        _ text: String, environment: [String: String]
    ) throws(Failure) -> String {
        var rest = text[...]
        var result = ""
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let after = rest[dollar...].dropFirst()
            if after.hasPrefix("${") {
                result += "${"
                rest = after.dropFirst(2)
            } else if after.hasPrefix("{") {
                guard let close = after.firstIndex(of: "}") else { throw .unclosed }
                result += try value(of: after[..<close].dropFirst(), environment)
                rest = after[close...].dropFirst()
            } else {
                result += "$"
                rest = after
            }
        }
        return result + rest
    }

    private static func value(
        of reference: Substring, _ environment: [String: String]
    ) throws(Failure) -> String {
        var name = String(reference)
        var fallback: String?
        if let colon = reference.firstIndex(of: ":"), reference[colon...].hasPrefix(":-") {
            name = String(reference[..<colon])
            fallback = String(reference[colon...].dropFirst(2))
        }
        let legal = name.utf8.enumerated().allSatisfy { index, unit in
            switch unit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "_"):
                true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
            default: false
            }
        }
        guard legal, !name.isEmpty else { throw .badName(name) }
        // As in a shell: ":-" also replaces a variable that is set but empty.
        let value = environment[name] ?? ""
        if let fallback { return value.isEmpty ? fallback : value }
        guard let set = environment[name] else { throw .unset(name) }
        return set
    }
}
