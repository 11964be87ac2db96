import ArgumentParser
import Configuration
import Gateway
import Logging

/// Runs the gateway until SIGTERM or SIGINT.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: "SIGTERM or SIGINT drains: running requests finish, new ones are refused.")

    @OptionGroup var file: ConfigurationOption

    @Option(help: "Reactor threads; all cores if not given here or in the file.")
    var threads: Int?

    func run() throws {
        StopSignals.block()
        Gateway.protectProcess()
        var configuration = try file.load()
        if let threads { configuration.threads = threads }
        let logger = ProcessLog.logger(level: configuration.logLevel)
        let gateway = try Gateway(configuration, logger: logger)
        gateway.start()
        for address in gateway.addresses {
            logger.notice("listening", metadata: ["address": "\(address)"])
        }
        logger.notice("admin", metadata: ["address": "\(gateway.adminAddress)"])
        StopSignals.wait()
        gateway.stop()
        logger.notice("stopped")
    }
}
