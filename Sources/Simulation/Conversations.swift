import InferenceTypes

/// Conversations whose every turn repeats what was said before, behind instructions that many of
/// them share. Made up, but for the answers' lengths.
///
/// A turn comes once the answer before it would have been there by its promise and was read: when
/// arrivals come does not hang on who serves them, so that policies can be compared.
public struct Conversations: Hashable, Sendable {
    /// Begun per second; Poisson.
    public var rate: Double
    /// Mean turns; geometric.
    public var turns = 6.0
    /// So many different instructions, equally often.
    public var instructions = 4
    public var instructionTokens = 800
    /// Mean tokens of the first message; exponential.
    public var firstTokens = 600.0
    /// Mean tokens of the others.
    public var laterTokens = 80.0
    /// Mean seconds between an answer and the next turn; exponential.
    public var thinkSeconds = 20.0
    /// Longest prompt; a conversation ends before it.
    public var mostTokens = 32_768

    public init(rate: Double) { self.rate = rate }
}

extension Workload {
    /// Adds conversations that begin within `length`. `answers`: rows whose output tokens are used
    /// for answers, drawn with equal chance.
    public mutating func add(
        _ service: Service, _ conversations: Conversations, answers: [TraceRow],
        length: TimeSpan, random: inout RandomSource
    ) {
        let index = add(service)
        guard !answers.isEmpty, conversations.rate > 0 else { return }
        var at = 0.0
        var number: UInt64 = 0
        while true {
            at += random.nextExponential(1 / conversations.rate)
            guard at < length.seconds else { break }
            number += 1
            converse(
                conversations, from: at, number, index, answers, until: length.seconds, &random)
        }
        sort()
    }

    private mutating func converse(
        _ rule: Conversations, from start: Double, _ number: UInt64, _ service: Int,
        _ answers: [TraceRow], until end: Double, _ random: inout RandomSource
    ) {
        var writer = PromptWriter()
        let instruction = random.nextIndex(below: max(rule.instructions, 1))
        writer.append(identity: UInt64(instruction) + 1, tokens: max(rule.instructionTokens, 1))
        let session = random.next() | 1
        let promise = services[service].objective
        var at = start
        var mean = rule.firstTokens
        while true {
            writer.append(identity: random.next(), tokens: 1 + Int(random.nextExponential(mean)))
            let output = answers[random.nextIndex(below: answers.count)].outputTokens
            guard at < end, writer.tokens <= rule.mostTokens else { return }
            let answer = random.next()
            append(
                at, service,
                TraceRow(arrival: .zero, inputTokens: writer.tokens, outputTokens: output),
                writer.prompt(answeredBy: answer, tokens: output, session: session))
            writer.append(identity: answer, tokens: output)
            at += (promise.timeToFirstToken?.seconds ?? 1)
            at += Double(output) * (promise.interTokenLatency?.seconds ?? 0.05)
            at += random.nextExponential(rule.thinkSeconds)
            mean = rule.laterTokens
            if random.nextUnit() * max(rule.turns, 1) < 1 { return }
        }
    }
}

extension RandomSource {
    /// Exponential with this mean.
    fileprivate mutating func nextExponential(_ mean: Double) -> Double {
        -Mathematics.log(1 - nextUnit()) * mean
    }
}
