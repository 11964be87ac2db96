import Classification
import Configuration
import InferenceTypes
import Scheduling
import Synchronization

/// What all reactors' cascades share and the admin page changes: scorers, allow-lists, and the salt
/// of this process, which no other process and no file ever has.
final class ClassificationBoard: Sendable {
    /// By reactor.
    let tallies: [ClassificationTally]
    let salt: SipHash.Key
    /// By ``ModelID``; no room for models that are not batched.
    let waiting: [WaitingMessages]
    /// By ``ModelID``.
    private let rules: Mutex<[CascadeRules]>

    /// `load` reads a file of weights.
    init(
        _ configuration: GatewayConfiguration, reactors: Int,
        load: (String) throws -> LinearScorer
    ) throws {
        var random = SystemRandomNumberGenerator()
        salt = SipHash.Key(random.next(), random.next())
        waiting = configuration.models.map { model in
            WaitingMessages(most: model.batching?.queuePolicy.maxQueueSize ?? 0)
        }
        tallies = (0..<reactors).map { _ in ClassificationTally() }
        rules = Mutex(
            try configuration.models.map { model in
                var rules = CascadeRules()
                guard let linear = model.classification.linear else { return rules }
                rules.scorer = try load(linear.weights)
                rules.candidate = try linear.candidate.map(load)
                rules.negativeBelow = linear.negativeBelow
                rules.positiveAbove = linear.positiveAbove
                rules.sign(for: model.name)
                return rules
            })
    }

    func rules(of model: ModelID) -> CascadeRules { rules.withLock { $0[model.index] } }

    /// Changes a model's rules; the reactors have to be told.
    func change(_ model: ModelID, named name: String, _ body: (inout CascadeRules) -> Void) {
        rules.withLock { rules in
            body(&rules[model.index])
            rules[model.index].sign(for: name)
        }
    }

    /// What became of messages, in the words of the metrics page.
    var outcomes: [(word: String, count: Int)] {
        [
            ("accelerator", sum(.accelerator)), ("linear", sum(.scored)),
            ("cache", sum(.cacheHits)), ("shared", sum(.shared)), ("allow_list", sum(.allowed)),
            ("undecided", sum(.undecided)), ("refused", sum(.refused)),
        ]
    }

    func sum(_ cause: Batch.Cause) -> Int { tallies.reduce(0) { $0 + $1[cause] } }

    func sum(_ count: ClassificationTally.Count) -> Int { tallies.reduce(0) { $0 + $1[count] } }
}
