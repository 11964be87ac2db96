/// One thing that is wrong, or looks wrong, in a configuration or profile file.
public struct ConfigurationIssue: Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        /// The file cannot be used.
        case error
        /// The file can be used, but probably does not say what its author meant.
        case warning
    }

    public var severity: Severity
    /// Counted from 1; 0 if the issue has no place in the text (a file that cannot be opened).
    public var line: Int
    /// Counted from 1 in Unicode scalars.
    public var column: Int
    /// Where in the tree, as in `pools[0].endpoints[1].url`.
    public var keyPath: String
    public var message: String
    /// The file the position is in, if it came from one.
    public var file: String?

    public init(
        severity: Severity = .error, line: Int, column: Int, keyPath: String, message: String,
        file: String? = nil
    ) {
        self.severity = severity
        self.line = line
        self.column = column
        self.keyPath = keyPath
        self.message = message
        self.file = file
    }

    /// `joulegate.yaml:12:5: error: pools[0].engine: expected one of ...`
    public var description: String {
        var text = file.map { $0 + ":" } ?? ""
        if line > 0 { text += "\(line):\(column):" }
        if !text.isEmpty { text += " " }
        text += "\(severity.rawValue): "
        return text + (keyPath.isEmpty ? message : "\(keyPath): \(message)")
    }
}

/// Thrown when a file cannot be used; carries everything that was found, warnings included, in the
/// order of the text.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var issues: [ConfigurationIssue]

    public init(issues: [ConfigurationIssue]) { self.issues = issues }

    public var description: String {
        issues.map(\.description).joined(separator: "\n")
    }
}
