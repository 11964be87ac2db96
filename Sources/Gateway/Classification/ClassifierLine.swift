import Configuration
import EnergyModel
import InferenceAPI
import InferenceTypes
import Scheduling

/// A model whose messages are batched: how, and how its verdicts are written down. One immutable
/// object for all reactors.
final class ClassifierLine: Sendable {
    let model: ModelID
    let name: String
    let settings: GatewayConfiguration.Classification
    let policy: GatewayConfiguration.QueuePolicy
    let rule: BatchingRule
    /// By ``TenantID`` + 1: whose messages may travel together, as the tenant that stands for all.
    private let groups: [Int]
    /// Each label as a JSON string.
    let quotedLabels: [[UInt8]]
    /// What ends a verdict that an accelerator gave.
    let acceleratorSignature: [UInt8]
    let cacheSignature: [UInt8]
    /// What ends a verdict that an accelerator gave another message, the same as this one.
    let sharedSignature: [UInt8]
    private let allowSignature: [UInt8]
    /// What ends the account of a message without one.
    let undecidedSignature: [UInt8]
    let quotedName: [UInt8]

    init?(_ model: ModelID, in configuration: GatewayConfiguration, reactors: Int) {
        let entry = configuration.models[model.index]
        guard entry.task == .classify, let batching = entry.batching else { return nil }
        self.model = model
        name = entry.name
        settings = entry.classification
        policy = batching.queuePolicy
        rule = Self.rule(model, batching, in: configuration, reactors: reactors)
        groups = Self.groups(configuration.tenants, areShared: batching.shareTenants)
        quotedLabels = settings.labels.map(Self.quoted)
        let pool = configuration.pools.first { $0.upstreamName(of: model) != nil }
        let version = settings.version ?? pool?.upstreamName(of: model) ?? entry.name
        acceleratorSignature = Self.signature(
            model: entry.name, version: version, threshold: settings.threshold,
            stage: "accelerator")
        cacheSignature = Self.signature(
            model: entry.name, version: version, threshold: settings.threshold, stage: "cache")
        sharedSignature = Self.signature(
            model: entry.name, version: version, threshold: settings.threshold, stage: "shared")
        allowSignature = Self.signature(
            model: entry.name, version: version, threshold: nil, stage: "allow_list")
        undecidedSignature = Self.signature(
            model: entry.name, version: version, threshold: settings.threshold, stage: "none")
        quotedName = Self.quoted(entry.name)
    }

    func group(of tenant: TenantID) -> Int {
        let place = tenant.index + 1
        return groups.indices.contains(place) ? groups[place] : tenant.index
    }

    /// The place of the label that a probability of the positive one gives; `nil` if the model's
    /// own label stands.
    func label(forPositive probability: Double?) -> Int? {
        guard let threshold = settings.threshold, let positive = settings.positiveLabel,
            let probability, settings.labels.count == 2
        else { return nil }
        return probability >= threshold ? positive : 1 - positive
    }

    // MARK: Verdicts of the early stages

    /// The first label that is not the positive one.
    func appendAllowed(to bytes: inout [UInt8]) {
        let place = quotedLabels.indices.first { $0 != settings.positiveLabel }
        bytes.append(contentsOf: "\"label\":".utf8)
        if let place {
            bytes.append(contentsOf: quotedLabels[place])
        } else {
            bytes.append(contentsOf: "null".utf8)
        }
        bytes.append(contentsOf: ",\"probs\":[".utf8)
        for index in quotedLabels.indices {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(UInt8(ascii: index == place ? "1" : "0"))
        }
        bytes.append(contentsOf: "],\"num_classes\":".utf8)
        VerdictText.append(number: quotedLabels.count, to: &bytes)
        bytes.append(contentsOf: allowSignature)
    }

    /// The linear scorer's verdict: of two labels, as the configuration is checked for.
    func append(_ probability: Double, by rules: CascadeRules, to bytes: inout [UInt8]) {
        let positive = settings.positiveLabel ?? 1
        let isPositive = rules.band(probability) == .positive
        bytes.append(contentsOf: "\"label\":".utf8)
        bytes.append(contentsOf: quotedLabels[isPositive ? positive : 1 - positive])
        bytes.append(contentsOf: ",\"probs\":[".utf8)
        let shares = [1 - probability, probability]
        VerdictText.append(probability: shares[positive == 1 ? 0 : 1], to: &bytes)
        bytes.append(UInt8(ascii: ","))
        VerdictText.append(probability: shares[positive == 1 ? 1 : 0], to: &bytes)
        bytes.append(contentsOf: "],\"num_classes\":2".utf8)
        bytes.append(
            contentsOf: isPositive ? rules.positiveSignature : rules.negativeSignature)
    }

    // MARK: Setting up

    /// Buckets are the ones asked for, else those for which the first pool's accelerators have a
    /// graph; costs are what a pass takes there above idle.
    private static func rule(
        _ model: ModelID, _ batching: GatewayConfiguration.DynamicBatching,
        in configuration: GatewayConfiguration, reactors: Int
    ) -> BatchingRule {
        let pools = configuration.pools.filter { $0.upstreamName(of: model) != nil }
        let profile = pools.first?.profile
        let curve = profile.map { IterationCurve($0) }
        var sizes = batching.preferredBatchSizes
        if sizes.isEmpty { sizes = profile?.decodeBuckets ?? [] }
        sizes.append(batching.maxBatchSize)
        let buckets = Set(sizes).sorted().map { size in
            BatchingRule.Bucket(
                size: size, cost: curve?.energyAboveIdle(batch: size).value ?? 1)
        }
        let places = pools.reduce(0) { $0 + $1.endpoints.count }
        return BatchingRule(
            maxBatchSize: batching.maxBatchSize, buckets: buckets,
            maxQueueDelay: batching.maxQueueDelay,
            concurrentBatches: (places + reactors - 1) / max(reactors, 1),
            maxQueueSize: batching.queuePolicy.maxQueueSize,
            preservesOrder: batching.preserveOrdering)
    }

    private static func groups(
        _ tenants: [GatewayConfiguration.Tenant], areShared: Bool
    ) -> [Int] {
        [-1]
            + tenants.indices.map { index in
                guard areShared else { return index }
                return tenants.firstIndex {
                    $0.pools == tenants[index].pools
                        && $0.serviceClass == tenants[index].serviceClass
                        && $0.objective == tenants[index].objective
                } ?? index
            }
    }

    static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return bytes
    }

    /// Who gave a verdict, as the last members of its object.
    static func signature(
        model: String, version: String, threshold: Double?, stage: String
    ) -> [UInt8] {
        var bytes = Array(",\"model\":".utf8)
        JSONText.append(model, to: &bytes)
        bytes.append(contentsOf: ",\"version\":".utf8)
        JSONText.append(version, to: &bytes)
        bytes.append(contentsOf: ",\"threshold\":\(threshold.map { "\($0)" } ?? "null")".utf8)
        bytes.append(contentsOf: ",\"stage\":\"\(stage)\"".utf8)
        return bytes
    }
}
