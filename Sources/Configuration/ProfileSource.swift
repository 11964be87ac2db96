import InferenceTypes

/// Where a configuration finds the profiles that its pools name.
public protocol ProfileSource: Sendable {
    func profile(named name: String) throws(ConfigurationError) -> Profile
}

/// Profiles at hand: for tests and the simulator.
public struct FixedProfiles: ProfileSource {
    private let profiles: [Profile]

    public init(_ profiles: [Profile]) { self.profiles = profiles }

    public func profile(named name: String) throws(ConfigurationError) -> Profile {
        guard let profile = profiles.first(where: { $0.name == name }) else {
            let known = profiles.map(\.name).joined(separator: ", ")
            throw ConfigurationError(issues: [
                ConfigurationIssue(
                    line: 0, column: 0, keyPath: "",
                    message: "there is no profile '\(name)'. Known: \(known)")
            ])
        }
        return profile
    }
}

/// Profiles as JSON files. A name is looked for as `<name>.json` in each folder in turn; a name
/// with a slash or the suffix `.json` is a path, tried as it is and beside the configuration.
public struct ProfileDirectories: ProfileSource {
    /// Searched in this order.
    public let directories: [String]
    private let configurationFolder: String

    /// - Parameter first: the `profiles_directory` of the file, relative to its folder.
    public init(configurationFolder: String, first: String? = nil) {
        self.configurationFolder = configurationFolder
        let chosen = first ?? "profiles"
        directories = [
            chosen.hasPrefix("/") ? chosen : configurationFolder + "/" + chosen,
            configurationFolder + "/Config/profiles", "Config/profiles",
        ]
    }

    public func profile(named name: String) throws(ConfigurationError) -> Profile {
        let candidates = candidates(for: name)
        guard let path = candidates.first(where: TextFile.exists) else {
            throw ConfigurationError(issues: [
                ConfigurationIssue(
                    line: 0, column: 0, keyPath: "",
                    message: "not found; looked for \(candidates.joined(separator: ", "))",
                    file: name)
            ])
        }
        return try ProfileReader.load(path: path)
    }

    private func candidates(for name: String) -> [String] {
        if name.hasPrefix("/") { return [name] }
        if name.contains("/") || name.hasSuffix(".json") {
            return [configurationFolder + "/" + name, name] + directories.map { $0 + "/" + name }
        }
        return directories.map { "\($0)/\(name).json" }
    }
}
