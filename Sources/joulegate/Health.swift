import ArgumentParser
import Configuration
import Gateway

/// Exits with 0 if the gateway that runs with this configuration answers, with 1 if not.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the running gateway's admin listener for its health.",
        discussion: "For containers without a shell, and for scripts.")

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try GatewayConfiguration.load(path: file.config)
        guard try HealthCheck.passes(configuration) else { throw ExitCode(1) }
    }
}
