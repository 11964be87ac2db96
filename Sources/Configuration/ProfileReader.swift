import InferenceTypes

/// Reads a profile. Its JSON is read as YAML, of which JSON is a part: so that errors carry
/// positions and unknown keys their neighbours here, too.
public enum ProfileReader {
    static let keys: [ConfigurationKey] = [
        .init("name", "name", "required", "how pools refer to it"),
        .init("model", "text", "required", "what was measured"),
        .init("accelerator", "text", "required", "on what"),
        .init("status", "text", "required", "measured, published, extrapolated or assumed"),
        .init("note", "text", "none", "where the figures are from"),
        .init("task", "text", "none", "classify: one forward pass per batch"),
        .init(
            "idle_watts", "watts", "required", "model loaded, nothing running; 17 % of tdp_watts"),
        .init("sleep_watts", "watts", "required", "asleep; 4 % of tdp_watts"),
        .init("wake_seconds", "seconds", "required", "from asleep to serving; 30"),
        .init(
            "wake_joules", "joules", "required",
            "energy of one waking; idle_watts x wake_seconds"),
        .init("max_batch", "count", "required", "most sequences at once"),
        .init(
            "prefill.tokens_per_second", "number", "required",
            "0: no separate prefill; from bandwidth and active weights"),
        .init("prefill.watts", "watts", "required", "power while prefilling; 91 % of tdp_watts"),
        .init("prefill.source", "text", "none", "where the prefill figures are from"),
        .init("weights_gigabytes", "gigabytes", "required", "size of the weights"),
        .init("kv_kilobytes_per_token", "kilobytes", "required", "KV cache per token"),
        .init("meter_scope", "word", "accelerator", "accelerator, card, host or wall"),
        .init("decode_buckets", "list of counts", "[]", "ascending compiled batch sizes"),
        .init("knots[].batch", "number", "required", "ascending, above 0"),
        .init("knots[].iteration_seconds", "seconds", "required", "one decode step"),
        .init("knots[].watts", "watts", "required", "power during it"),
        .init("knots[].source", "text", "required", "as status, for this point"),
        .init("memory_bandwidth_gigabytes_per_second", "number", "none", "whole group, no knots"),
        .init("tdp_watts", "watts", "none", "whole group, no knots"),
        .init("parameters_billions", "number", "weights / 2", "all parameters, no knots"),
        .init("experts.count", "number", "required", "experts of a layer, no knots"),
        .init("experts.active", "number", "required", "of these, used by each token"),
        .init("experts.share", "number", "required", "share of the weights in experts, 0 to 1"),
    ]

    public static func load(path: String) throws(ConfigurationError) -> Profile {
        let text = try TextFile.read(path, limit: YAMLDocument.maxBytes)
        return try parse(text: text, file: path)
    }

    /// Reads `text`; `file` only names it in messages.
    public static func parse(
        text: String, file: String? = nil
    ) throws(ConfigurationError) -> Profile {
        let reading = Reading(KnownKeys(keys.map(\.path)), environment: [:])
        var profile = Profile.unread
        do {
            let node = try YAMLDocument.compose(text)
            let root = BlockReader(node, path: "", schema: "", in: reading)
            profile = read(root)
        } catch {
            error.issues.forEach(reading.report)
        }
        let issues = reading.sortedIssues(file: file)
        guard issues.isEmpty else { throw ConfigurationError(issues: issues) }
        return profile
    }

    /// `measured` stays; whatever says `assumed` is assumed; the rest was computed from figures
    /// that someone measured.
    static func provenance(_ words: String) -> Provenance? {
        if words.contains("assumed") { return .assumed }
        switch words {
        case "measured": return .measured
        case "published", "extrapolated": return .modelled
        default: return nil
        }
    }

    private static func read(_ root: BlockReader) -> Profile {
        _ = (root.string("note"), root.string("task"))
        let prefill = root.block("prefill")
        _ = prefill.string("source")
        let start = coldStart(root)
        let weights = quantity(root, "weights_gigabytes")
        let maxBatch =
            root.required("max_batch") == nil
            ? 1 : root.integer("max_batch", in: 1...65_536) ?? 1
        let idle = quantity(root, "idle_watts", start?.idlePower.value)
        let wake = quantity(root, "wake_seconds", start.map { _ in 30 })
        let status = provenance(of: root, "status")
        return Profile(
            name: root.required("name")?.value ?? "",
            model: root.required("model")?.value ?? "",
            accelerator: root.required("accelerator")?.value ?? "",
            provenance: start == nil ? status : .assumed, idlePower: Watts(idle),
            sleepPower: Watts(
                quantity(root, "sleep_watts", start.map { $0.thermalDesignPower.value * 0.04 })),
            wakeTime: TimeSpan(seconds: wake),
            wakeEnergy: Joules(quantity(root, "wake_joules", start.map { _ in idle * wake })),
            maxBatch: maxBatch,
            prefillTokensPerSecond: quantity(
                prefill, "tokens_per_second", start?.prefillTokensPerSecond),
            prefillPower: Watts(quantity(prefill, "watts", start?.prefillPower.value)),
            weightsGigabytes: weights,
            kvKilobytesPerToken: quantity(root, "kv_kilobytes_per_token"),
            meterScope: root.choice("meter_scope") ?? .accelerator,
            decodeBuckets: buckets(of: root),
            knots: start?.knots(maxBatch: maxBatch) ?? knots(of: root))
    }

    /// A profile without knots says instead what its weights and its memory are like.
    private static func coldStart(_ root: BlockReader) -> ColdStart? {
        guard !root.has("knots") else { return nil }
        guard let bandwidth = root.number("memory_bandwidth_gigabytes_per_second", in: 1e-3...1e9),
            let power = root.number("tdp_watts", in: 1e-3...1e9)
        else { return nil }
        var experts: ColdStart.Experts?
        if root.has("experts") {
            let block = root.block("experts")
            experts = ColdStart.Experts(
                count: quantity(block, "count"), active: quantity(block, "active"),
                share: quantity(block, "share"))
        }
        return ColdStart(
            weightsGigabytes: quantity(root, "weights_gigabytes"),
            bandwidthGigabytesPerSecond: bandwidth, thermalDesignPower: Watts(power),
            experts: experts,
            parametersBillions: root.number("parameters_billions", in: 1e-6...1e9))
    }

    /// Finite and not negative.
    private static func quantity(
        _ block: BlockReader, _ key: String, _ fallback: Double? = nil
    ) -> Double {
        if let fallback, !block.has(key) { return fallback }
        return block.required(key) == nil ? 0 : block.number(key, in: 0...1e9) ?? 0
    }

    private static func provenance(of block: BlockReader, _ key: String) -> Provenance {
        guard let words = block.required(key) else { return .assumed }
        if let provenance = provenance(words.value) { return provenance }
        block.reading.error(
            "expected measured, published, extrapolated, or words with assumed, found "
                + "'\(words.value.prefix(40))'", at: words)
        return .assumed
    }

    private static func buckets(of root: BlockReader) -> [Int] {
        let buckets = root.integers("decode_buckets", in: 1...65_536) ?? []
        for (a, b) in zip(buckets, buckets.dropFirst()) where a >= b {
            root.reading.error(
                "decode_buckets must ascend: \(b) follows \(a)", at: root.place)
        }
        return buckets
    }

    private static func knots(of root: BlockReader) -> [Profile.Knot] {
        let blocks = root.blocks("knots") ?? []
        if root.isEmptyList("knots") {
            root.reading.error("at least one knot is needed", at: root.place)
        }
        var last = 0.0
        return blocks.map { block in
            let batch = quantity(block, "batch")
            let time = TimeSpan(seconds: quantity(block, "iteration_seconds"))
            let watts = quantity(block, "watts")
            if block.has("batch"), batch <= last {
                block.reading.error("batch must be above \(last), found \(batch)", at: block.place)
            }
            if block.has("iteration_seconds"), time <= .zero {
                block.reading.error("iteration_seconds must be above 0", at: block.place)
            }
            if block.has("watts"), watts <= 0 {
                block.reading.error("watts must be above 0", at: block.place)
            }
            last = batch
            return Profile.Knot(
                batch: batch, iterationTime: time, power: Watts(watts),
                provenance: provenance(of: block, "source"))
        }
    }
}
