import ArgumentParser
import Gateway

/// The program: one command per job.
@main
struct Joulegate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "joulegate",
        abstract: "An HTTP/2 gateway that places inference requests by the joules they will cost.",
        version: Gateway.version,
        subcommands: [
            Serve.self, Check.self, Health.self, Emulate.self, Demo.self, Simulate.self,
            TrainSpam.self,
        ])
}
