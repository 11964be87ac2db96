import ArgumentParser
import InferenceTypes
import Simulation

/// Conversations, whose turns begin alike, in place of the traces' arrivals.
struct SessionOptions: ParsableArguments {
    @Option(
        help: """
            Conversations begun per second: they are played instead of the traces, whose answers' \
            lengths they have.
            """)
    var sessions: Double?

    @Option(help: "Mean turns of a conversation.")
    var sessionTurns = 6.0

    @Option(help: "So many different instructions begin the conversations.")
    var sessionInstructions = 4

    @Option(help: "Tokens of the instructions.")
    var sessionInstructionTokens = 800

    @Option(help: "Mean tokens of a conversation's first message.")
    var sessionFirstTokens = 600.0

    @Option(help: "Mean seconds between an answer and the next turn.")
    var sessionThinkSeconds = 20.0

    func validate() throws {
        guard (0...10_000).contains(sessions ?? 0), (1...1_000).contains(sessionTurns),
            (1...1_000_000).contains(sessionInstructions),
            (1...30_000).contains(sessionInstructionTokens),
            (0...30_000).contains(sessionFirstTokens), (0...1e6).contains(sessionThinkSeconds)
        else { throw ValidationError("--session options: out of their range") }
    }

    /// `nil`: no conversations were asked for.
    func workload(_ answers: [TraceRow], _ seconds: Double, seed: UInt64) -> Workload? {
        guard let sessions else { return nil }
        var rule = Conversations(rate: sessions)
        rule.turns = sessionTurns
        rule.instructions = sessionInstructions
        rule.instructionTokens = sessionInstructionTokens
        rule.firstTokens = sessionFirstTokens
        rule.thinkSeconds = sessionThinkSeconds
        var random = RandomSource(seed: seed)
        var workload = Workload()
        workload.add(
            Workload.Service(name: "conversations"), rule, answers: answers,
            length: TimeSpan(seconds: seconds), random: &random)
        return workload
    }
}
