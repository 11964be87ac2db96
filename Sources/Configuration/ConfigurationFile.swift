import Foundation
import InferenceTypes

/// What reading a file gave: a configuration, unless there were errors, and what to say of it.
public struct ConfigurationReport: Sendable {
    /// nil if any issue is an error.
    public var configuration: GatewayConfiguration?
    /// In the order of the text.
    public var issues: [ConfigurationIssue]

    public var warnings: [ConfigurationIssue] { issues.filter { $0.severity == .warning } }

    /// The configuration, or all issues as an error.
    public func get() throws(ConfigurationError) -> GatewayConfiguration {
        guard let configuration else { throw ConfigurationError(issues: issues) }
        return configuration
    }
}

extension GatewayConfiguration {
    /// Reads the file at `path` and the profiles it names.
    public static func load(
        path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> GatewayConfiguration {
        try report(path: path, environment: environment).get()
    }

    /// The same, with the warnings. Only a file that cannot be opened throws.
    public static func report(
        path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> ConfigurationReport {
        let text = try TextFile.read(path, limit: YAMLDocument.maxBytes)
        let folder = TextFile.folder(of: path)
        // The profiles' folder is itself a key, so it is read before everything else.
        let chosen = profilesDirectory(in: text, environment: environment)
        let profiles = ProfileDirectories(configurationFolder: folder, first: chosen)
        return parse(text: text, profiles: profiles, environment: environment, file: path)
    }

    /// Reads `text`; `file` only names it in messages.
    public static func parse(
        text: String, profiles: any ProfileSource,
        environment: [String: String] = ProcessInfo.processInfo.environment, file: String? = nil
    ) -> ConfigurationReport {
        read(text: text, profiles: profiles, environment: environment, file: file).report
    }

    /// The same, with the keys that were asked for: the test of the documentation needs them.
    static func read(
        text: String, profiles: any ProfileSource, environment: [String: String],
        file: String? = nil
    ) -> (report: ConfigurationReport, keysRead: Set<String>) {
        let reading = Reading(.ofConfiguration, environment: environment)
        var configuration: GatewayConfiguration?
        do {
            let root = BlockReader(
                try YAMLDocument.compose(text), path: "", schema: "", in: reading)
            var reader = ConfigurationReader(root: root, profiles: profiles)
            reader.read()
            configuration = reader.configuration
        } catch {
            error.issues.forEach(reading.report)
        }
        let issues = reading.sortedIssues(file: file)
        let failed = issues.contains { $0.severity == .error }
        let report = ConfigurationReport(
            configuration: failed ? nil : configuration, issues: issues)
        return (report, reading.keysRead)
    }

    private static func profilesDirectory(
        in text: String, environment: [String: String]
    ) -> String? {
        let reading = Reading(.ofConfiguration, environment: environment)
        guard let node = try? YAMLDocument.compose(text) else { return nil }
        return BlockReader(node, path: "", schema: "", in: reading)
            .string("profiles_directory")?.value
    }
}

extension Reading {
    /// In the order of the text, each mistake once; those of profile files after the rest.
    func sortedIssues(file: String?) -> [ConfigurationIssue] {
        var seen: Set<ConfigurationIssue> = []
        let own = issues.filter { $0.file == nil && seen.insert($0).inserted }
            .enumerated()
            .sorted { ($0.1.line, $0.1.column, $0.0) < ($1.1.line, $1.1.column, $1.0) }
            .map { _, issue in
                var issue = issue
                issue.file = file
                return issue
            }
        return own + issues.filter { $0.file != nil && seen.insert($0).inserted }
    }
}

/// Reading whole small files.
enum TextFile {
    static func read(_ path: String, limit: Int) throws(ConfigurationError) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw failure(path, "the file cannot be opened")
        }
        defer { try? file.close() }
        let data: Data
        do {
            data = try file.read(upToCount: limit + 1) ?? Data()
        } catch {
            throw failure(path, "the file cannot be read")
        }
        guard data.count <= limit else {
            throw failure(path, "the file is longer than \(limit) bytes")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw failure(path, "the file is not UTF-8")
        }
        return text
    }

    static func exists(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && !isFolder.boolValue
    }

    /// The part before the last `/`; `.` if there is none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func failure(_ path: String, _ message: String) -> ConfigurationError {
        ConfigurationError(issues: [
            ConfigurationIssue(line: 0, column: 0, keyPath: "", message: message, file: path)
        ])
    }
}
