import ArgumentParser
import Configuration
import Foundation

/// `--config FILE`, and what is wrong with the file.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .long, help: "The configuration file (YAML).")
    var config: String

    /// Prints warnings; ends the program with the errors if there are any.
    func load() throws -> GatewayConfiguration {
        do {
            let report = try GatewayConfiguration.report(path: config)
            for warning in report.warnings { Self.complain("\(warning)") }
            return try report.get()
        } catch {
            Self.complain("\(error)")
            throw ExitCode(1)
        }
    }

    private static func complain(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
