import InferenceTypes
import Yams

/// A value and where it stands in the text.
struct Located<Value> {
    var value: Value
    var line: Int
    var column: Int
    var path: String
}

/// What one reading of one file gathers: issues, and which keys were asked for.
final class Reading {
    private(set) var issues: [ConfigurationIssue] = []
    /// Paths of ``ConfigurationKey`` form that the reader asked for.
    private(set) var keysRead: Set<String> = []
    let environment: [String: String]
    private let known: KnownKeys

    init(_ known: KnownKeys, environment: [String: String]) {
        self.environment = environment
        self.known = known
    }

    /// Values that came out of the environment: secrets, as likely as not.
    private var interpolated: Set<String> = []

    func markInterpolated(_ value: String) { interpolated.insert(value) }

    func isInterpolated(_ value: String) -> Bool { interpolated.contains(value) }

    /// A value as a message may show it: cut short, and never one from the environment.
    func quoted(_ text: String) -> String {
        if interpolated.contains(text) { return "a value from the environment" }
        return text.count > 40 ? "'\(text.prefix(40))...'" : "'\(text)'"
    }

    func knownKeys(below block: String) -> [String] { known.children[block] ?? [] }

    func markRead(_ key: String) { keysRead.insert(key) }

    func report(_ issue: ConfigurationIssue) { issues.append(issue) }

    func error(_ message: String, at place: Located<some Any>) {
        issues.append(
            ConfigurationIssue(
                line: place.line, column: place.column, keyPath: place.path, message: message))
    }

    func warning(_ message: String, at place: Located<some Any>) {
        issues.append(
            ConfigurationIssue(
                severity: .warning, line: place.line, column: place.column,
                keyPath: place.path, message: message))
    }
}

/// One mapping of the file, read key by key. Every mistake is reported to the ``Reading`` and
/// read as absent, so that one pass finds them all.
struct BlockReader {
    let reading: Reading
    /// Where the block starts; its path is as in `pools[0]`.
    let place: Located<Void>
    /// False if the file does not have the block: every key is then absent.
    let exists: Bool
    /// The same path with the positions left out, as in `pools[]`.
    private let schema: String
    private let entries: [(key: String, value: Node)]

    /// Reads `node` as a mapping and reports the keys that no one knows.
    init(_ node: Node?, path: String, schema: String, in reading: Reading) {
        self.reading = reading
        self.schema = schema
        let mark = node?.mark
        place = Located(
            value: (), line: mark?.line ?? 1, column: mark?.column ?? 1, path: path)
        guard let node, !Self.isNull(node) else {
            exists = node != nil
            entries = []
            return
        }
        exists = true
        guard case .mapping(let mapping) = node else {
            reading.error("expected a block of keys, found \(Self.describe(node))", at: place)
            entries = []
            return
        }
        let known = reading.knownKeys(below: schema)
        var entries: [(key: String, value: Node)] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            guard !known.contains(name) else {
                entries.append((name, value))
                continue
            }
            let keyPlace = Located(
                value: (), line: key.mark?.line ?? 1, column: key.mark?.column ?? 1,
                path: Self.join(path, name))
            let nearest = EditDistance.nearest(to: name, among: known)
            let hint = nearest.map { "; did you mean '\($0)'?" }
                ?? ". Known here: \(known.joined(separator: ", "))"
            reading.error("unknown key '\(name)'\(hint)", at: keyPlace)
        }
        self.entries = entries
    }

    // MARK: Blocks and lists

    /// The block under `key`; an absent one reads as empty.
    func block(_ key: String) -> BlockReader {
        BlockReader(
            node(key), path: Self.join(place.path, key), schema: Self.join(schema, key),
            in: reading)
    }

    /// The blocks of the list under `key`; nil if the file does not have it.
    func blocks(_ key: String) -> [BlockReader]? {
        let schema = Self.join(schema, key) + "[]"
        guard let node = node(key) else { return nil }
        let path = Self.join(place.path, key)
        guard case .sequence(let sequence) = node else {
            reading.error(
                "expected a list of blocks, found \(Self.describe(node))",
                at: located((), node, path))
            return nil
        }
        return sequence.enumerated().map { index, element in
            BlockReader(element, path: "\(path)[\(index)]", schema: schema, in: reading)
        }
    }

    /// The texts of the list under `key`; nil if the file does not have it.
    func strings(_ key: String) -> [Located<String>]? {
        reading.markRead(Self.join(schema, key))
        guard let node = node(key) else { return nil }
        let path = Self.join(place.path, key)
        guard case .sequence(let sequence) = node else {
            reading.error(
                "expected a list, found \(Self.describe(node))", at: located((), node, path))
            return nil
        }
        return sequence.enumerated().compactMap { index, element in
            text(element, path: "\(path)[\(index)]")
        }
    }

    /// The pairs of the map under `key`, in the order of the file.
    func pairs(_ key: String) -> [(key: String, value: String)] {
        reading.markRead(Self.join(schema, key))
        guard let node = node(key) else { return [] }
        let path = Self.join(place.path, key)
        guard case .mapping(let mapping) = node else {
            reading.error(
                "expected a map, found \(Self.describe(node))", at: located((), node, path))
            return []
        }
        return mapping.compactMap { name, value in
            guard let name = name.scalar?.string else { return nil }
            return text(value, path: Self.join(path, name)).map { (name, $0.value) }
        }
    }

    // MARK: Scalars

    func string(_ key: String) -> Located<String>? {
        reading.markRead(Self.join(schema, key))
        return node(key).flatMap { text($0, path: Self.join(place.path, key)) }
    }

    /// Reports an absent or empty value.
    func required(_ key: String) -> Located<String>? {
        reading.markRead(Self.join(schema, key))
        guard node(key) != nil else {
            reading.error("'\(key)' is missing", at: place)
            return nil
        }
        guard let found = string(key) else { return nil }
        guard !found.value.isEmpty else {
            reading.error("'\(key)' is empty", at: found)
            return nil
        }
        return found
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        string(key).flatMap { integer($0, in: range) }
    }

    func integers(_ key: String, in range: ClosedRange<Int>) -> [Int]? {
        strings(key)?.compactMap { integer($0, in: range) }
    }

    func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let found = string(key) else { return nil }
        guard let value = Double(found.value), value.isFinite else {
            reading.error("expected a number, found \(quoted(found.value))", at: found)
            return nil
        }
        guard range.contains(value) else {
            let bound = value < range.lowerBound
                ? "at least \(Self.plain(range.lowerBound))"
                : "at most \(Self.plain(range.upperBound))"
            reading.error("expected a number of \(bound), found \(found.value)", at: found)
            return nil
        }
        return value
    }

    func boolean(_ key: String) -> Bool? {
        guard let found = string(key) else { return nil }
        switch found.value {
        case "true": return true
        case "false": return false
        default:
            reading.error("expected true or false, found \(quoted(found.value))", at: found)
            return nil
        }
    }

    /// A length of time written in milliseconds.
    func milliseconds(_ key: String, in range: ClosedRange<Int> = 1...86_400_000) -> TimeSpan? {
        integer(key, in: range).map { .milliseconds(Int64($0)) }
    }

    /// One of the words of `Choice`.
    func choice<Choice>(_ key: String, _: Choice.Type = Choice.self) -> Choice?
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard let found = string(key) else { return nil }
        if let choice = Choice(rawValue: found.value) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let hint = EditDistance.nearest(to: found.value, among: words)
            .map { "; did you mean '\($0)'?" } ?? ""
        reading.error(
            "expected one of \(words.joined(separator: ", ")), found "
                + quoted(found.value) + hint, at: found)
        return nil
    }

    /// The same, and reports an absent value.
    func requiredChoice<Choice>(_ key: String, _ type: Choice.Type = Choice.self) -> Choice?
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        required(key) == nil ? nil : choice(key, type)
    }

    /// Does the file give `key` a value?
    func has(_ key: String) -> Bool { node(key) != nil }

    /// Is the list under `key` absent or empty? A value of another kind has its own error.
    func isEmptyList(_ key: String) -> Bool {
        guard let node = node(key) else { return true }
        if case .sequence(let sequence) = node { return sequence.isEmpty }
        return false
    }

    // MARK: Nodes

    private func node(_ key: String) -> Node? {
        guard let node = entries.first(where: { $0.key == key })?.value, !Self.isNull(node)
        else { return nil }
        return node
    }

    private func integer(_ found: Located<String>, in range: ClosedRange<Int>) -> Int? {
        // Digits may be grouped as in 10_000.
        guard let value = Int(found.value.filter { $0 != "_" }) else {
            reading.error("expected a whole number, found \(quoted(found.value))", at: found)
            return nil
        }
        guard range.contains(value) else {
            let bound = value < range.lowerBound
                ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
            reading.error("expected a number of \(bound), found \(value)", at: found)
            return nil
        }
        return value
    }

    private func text(_ node: Node, path: String) -> Located<String>? {
        guard case .scalar(let scalar) = node else {
            reading.error(
                "expected a single value, found \(Self.describe(node))",
                at: located((), node, path))
            return nil
        }
        do {
            let expanded = try Interpolation.expand(
                scalar.string, environment: reading.environment)
            if expanded != scalar.string { reading.markInterpolated(expanded) }
            return located(expanded, node, path)
        } catch {
            reading.error(error.message, at: located((), node, path))
            return nil
        }
    }

    private func located<Value>(_ value: Value, _ node: Node, _ path: String) -> Located<Value> {
        Located(
            value: value, line: node.mark?.line ?? place.line,
            column: node.mark?.column ?? place.column, path: path)
    }

    private func quoted(_ text: String) -> String { reading.quoted(text) }

    private static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    private static func describe(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string.prefix(40))'"
        case .mapping: "a block of keys"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private static func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }
}
