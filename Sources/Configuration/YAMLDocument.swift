import Foundation
import Yams

/// Turns text into Yams's node tree within bounds, so that no file can hold up the program: size,
/// number of aliases, nesting, and nodes once every alias stands for its copy.
enum YAMLDocument {
    static let maxBytes = 1 << 20
    static let maxAliases = 256
    static let maxDepth = 32
    static let maxNodes = 100_000

    /// The root node, or nil for an empty document.
    static func compose(_ text: String) throws(ConfigurationError) -> Node? {
        guard text.utf8.count <= maxBytes else {
            throw failure(1, 1, "the file is longer than \(maxBytes) bytes")
        }
        guard aliasCount(text) <= maxAliases else {
            throw failure(1, 1, "the file uses more than \(maxAliases) aliases (*name)")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text, .default, .default, .utf8)
        } catch {
            throw translate(error)
        }
        guard let root else { return nil }
        var budget = maxNodes
        try check(root, depth: 1, budget: &budget)
        return root
    }

    /// An upper bound: words that start with `*`, wherever they stand.
    private static func aliasCount(_ text: String) -> Int {
        var count = 0
        var previous = UInt8(ascii: " ")
        for unit in text.utf8 {
            if unit == UInt8(ascii: "*") {
                switch previous {
                case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"),
                    UInt8(ascii: "["), UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: ":"):
                    count += 1
                default: break
                }
            }
            previous = unit
        }
        return count
    }

    private static func check(
        _ node: Node, depth: Int, budget: inout Int
    ) throws(ConfigurationError) {
        let line = node.mark?.line ?? 1
        let column = node.mark?.column ?? 1
        budget -= 1
        guard budget >= 0 else {
            throw failure(line, column, "more than \(maxNodes) values with aliases written out")
        }
        guard depth <= maxDepth else {
            throw failure(line, column, "nested deeper than \(maxDepth) levels")
        }
        switch node {
        case .scalar, .alias: break
        case .sequence(let sequence):
            for element in sequence {
                try check(element, depth: depth + 1, budget: &budget)
            }
        case .mapping(let mapping):
            for (key, value) in mapping {
                try check(key, depth: depth + 1, budget: &budget)
                try check(value, depth: depth + 1, budget: &budget)
            }
        }
    }

    private static func failure(
        _ line: Int, _ column: Int, _ message: String
    ) -> ConfigurationError {
        ConfigurationError(issues: [
            ConfigurationIssue(line: line, column: column, keyPath: "", message: message)
        ])
    }

    private static func translate(_ error: any Error) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let origin = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
            return failure(mark.line, mark.column, "not YAML: \(origin)\(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { "'\($0)'" }.joined(separator: ", ")
            return failure(
                context.mark.line, context.mark.column,
                "\(names) appears more than once in this block")
        case .reader(let problem, _, _, _):
            return failure(1, 1, "not YAML: \(problem)")
        default:
            return failure(1, 1, "not YAML")
        }
    }
}
