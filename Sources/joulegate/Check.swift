import ArgumentParser
import Configuration

/// Reads the configuration as `serve` would and prints what it comes to.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file and print the effective values.")

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.load()
        print(configuration.effectiveYAML(), terminator: "")
    }
}
