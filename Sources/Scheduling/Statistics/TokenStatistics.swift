import InferenceTypes

/// What past answers teach about sizes: bytes per input token of each model, and output tokens
/// by model, task and prompt length. Used for predictions only, never for billing.
///
/// Prompt lengths are binned by powers of two: the mean per (service, log2 prompt length)
/// explained 64 % of the variance of output lengths on a mixed production trace (service alone
/// 33 %, everything pooled 7 %), and perfect foresight saved no measurable energy beyond it.
struct TokenStatistics: Sendable {
    /// A mean that starts at a prior worth `weight` samples and forgets beyond `memory`:
    /// `mean += (x - mean) / min(n + weight, memory)`. Worked: prior 200 worth 4, first sample
    /// 100: 200 - 100 / 5 = 180; second sample 100: 180 - 80 / 6 = 166.7.
    struct Mean: Hashable, Sendable {
        private(set) var value: Double
        private var samples = 0.0
        private let weight: Double
        private let memory: Double

        init(prior: Double, weight: Double, memory: Double) {
            value = prior
            self.weight = weight
            self.memory = memory
        }

        mutating func add(_ sample: Double) {
            samples = min(samples + 1, memory)
            value += (sample - value) / min(samples + weight, memory)
        }
    }

    static let bytesPerTokenPrior = 4.0
    static let outputTokensPrior = 200.0
    /// No prompt is believed longer, no answer either.
    static let mostTokens = 1 << 24
    /// Input tokens that an image or another part without text is taken for.
    static let tokensPerMediaPart = 512
    private static let bins = 16

    private var bytesPerToken: [Mean]
    private var outputTokens: [Mean]
    private let tenants: Int
    /// Kinds of tasks: asked for at every look-up, and `allCases` is an array that is made anew.
    private let tasks = InferenceTask.allCases.count
    /// By the index of a mean: its histogram, -1 for none yet; the same by model and task.
    private var histogramOf: [Int32]
    private var histogramOfParent: [Int32]
    private var histograms: [LengthHistogram] = []
    /// Beyond so many rows only models and tasks are told apart.
    static let mostHistograms = 4_096

    /// `tenantCount`: those that are configured; everybody else shares one row.
    init(modelCount: Int, tenantCount: Int) {
        tenants = max(tenantCount, 0) + 1
        let models = max(modelCount, 0)
        bytesPerToken = Array(
            repeating: Mean(prior: Self.bytesPerTokenPrior, weight: 16, memory: 512),
            count: models)
        outputTokens = Array(
            repeating: Mean(prior: Self.outputTokensPrior, weight: 4, memory: 200),
            count: models * tenants * tasks * Self.bins)
        histogramOf = Array(repeating: -1, count: outputTokens.count)
        histogramOfParent = Array(
            repeating: -1, count: models * tasks)
    }

    func bytesPerToken(of model: ModelID) -> Double {
        bytesPerToken.indices.contains(model.index)
            ? bytesPerToken[model.index].value : Self.bytesPerTokenPrior
    }

    /// Worked, 4 bytes per token: 4 620 bytes are 1 155 tokens.
    @inline(__always)
    func inputTokens(of request: InferenceRequest) -> Int {
        let text = Double(max(request.promptBytes, 0)) / bytesPerToken(of: request.model)
        let media = Double(max(request.mediaParts, 0)) * Double(Self.tokensPerMediaPart)
        return Int(min(text + media, Double(Self.mostTokens)))
    }

    /// Of one sequence; at least one for a task that generates, none for one that does not.
    @inline(__always)
    func outputTokens(of request: InferenceRequest, inputTokens: Int) -> Int {
        guard request.task.generates else { return 0 }
        let most = min(request.maxOutputTokens ?? Self.mostTokens, Self.mostTokens)
        guard let index = index(request, inputTokens) else {
            return max(min(Int(Self.outputTokensPrior), most), 1)
        }
        return max(min(Int(outputTokens[index].value.rounded()), most), 1)
    }

    /// Learns from an answer that came to its end.
    @inline(__always)
    mutating func learn(from usage: Usage, of request: InferenceRequest, sequences: Int) {
        if let tokens = usage.inputTokens, tokens >= 16, request.mediaParts == 0,
            bytesPerToken.indices.contains(request.model.index)
        {
            let ratio = Double(max(request.promptBytes, 0)) / Double(tokens)
            // One odd report, or a template longer than its prompt, must not spoil the mean.
            bytesPerToken[request.model.index].add(min(max(ratio, 0.5), 16))
        }
        if request.task.generates, let tokens = usage.outputTokens, tokens >= 0,
            let index = index(
                request, usage.inputTokens ?? inputTokens(of: request))
        {
            let each = Double(min(tokens, Self.mostTokens)) / Double(max(sequences, 1))
            outputTokens[index].add(each)
            let length = Int(each.rounded())
            if let child = Self.histogram(&histogramOf[index], &histograms, Self.mostHistograms) {
                histograms[child].add(length)
            }
            let parent = parent(request)
            if let own = Self.histogram(&histogramOfParent[parent], &histograms, .max) {
                histograms[own].add(length)
            }
        }
    }

    /// Tokens that one sequence still has to come after `produced`: those that came of answers of
    /// its kind which became longer than that; of fewer than 30 answers nothing is concluded, and
    /// the same model's and task's count instead. `nil` if they are too few, too, or none was
    /// longer.
    func expectedRest(
        after produced: Int, of request: InferenceRequest, inputTokens: Int
    ) -> Double? {
        guard let index = index(request, inputTokens) else { return nil }
        for place in [histogramOf[index], histogramOfParent[parent(request)]] where place >= 0 {
            let histogram = histograms[Int(place)]
            guard histogram.total >= LengthHistogram.fewest else { continue }
            if let rest = histogram.expectedRest(after: produced) { return rest }
        }
        return nil
    }

    @inline(__always)
    private func parent(_ request: InferenceRequest) -> Int {
        request.model.index * tasks + request.task.ordinal
    }

    private static func histogram(
        _ place: inout Int32, _ histograms: inout [LengthHistogram], _ most: Int
    ) -> Int? {
        if place < 0 {
            guard histograms.count < most else { return nil }
            place = Int32(histograms.count)
            histograms.append(LengthHistogram())
        }
        return Int(place)
    }

    @inline(__always)
    private func index(_ request: InferenceRequest, _ tokens: Int) -> Int? {
        let model = request.model.index
        guard bytesPerToken.indices.contains(model) else { return nil }
        let tenant = request.tenant.index
        let owner = (0..<tenants - 1).contains(tenant) ? tenant : tenants - 1
        let bin = min(Int.bitWidth - max(tokens, 1).leadingZeroBitCount - 1, Self.bins - 1)
        let row = (model * tenants + owner) * tasks + request.task.ordinal
        return row * Self.bins + bin
    }
}
