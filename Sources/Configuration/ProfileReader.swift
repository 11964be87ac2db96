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
        .init("idle_watts", "watts", "required", "model loaded, nothing running"),
        .init("sleep_watts", "watts", "required", "asleep"),
        .init("wake_seconds", "seconds", "required", "from asleep to serving"),
        .init("wake_joules", "joules", "required", "energy of one waking"),
        .init("max_batch", "count", "required", "most sequences at once"),
        .init("prefill.tokens_per_second", "number", "required", "0: no separate prefill"),
        .init("prefill.watts", "watts", "required", "power while prefilling"),
        .init("prefill.source", "text", "none", "where the prefill figures are from"),
        .init("weights_gigabytes", "gigabytes", "required", "size of the weights"),
        .init("kv_kilobytes_per_token", "kilobytes", "required", "KV cache per token"),
        .init("meter_scope", "word", "accelerator", "accelerator, card, host or wall"),
        .init("decode_buckets", "list of counts", "[]", "ascending compiled batch sizes"),
        .init("knots[].batch", "number", "required", "ascending, above 0"),
        .init("knots[].iteration_seconds", "seconds", "required", "one decode step"),
        .init("knots[].watts", "watts", "required", "power during it"),
        .init("knots[].source", "text", "required", "as status, for this point"),
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
        return Profile(
            name: root.required("name")?.value ?? "",
            model: root.required("model")?.value ?? "",
            accelerator: root.required("accelerator")?.value ?? "",
            provenance: provenance(of: root, "status"),
            idlePower: Watts(quantity(root, "idle_watts")),
            sleepPower: Watts(quantity(root, "sleep_watts")),
            wakeTime: TimeSpan(seconds: quantity(root, "wake_seconds")),
            wakeEnergy: Joules(quantity(root, "wake_joules")),
            maxBatch: root.required("max_batch") == nil
                ? 1 : root.integer("max_batch", in: 1...65_536) ?? 1,
            prefillTokensPerSecond: quantity(prefill, "tokens_per_second"),
            prefillPower: Watts(quantity(prefill, "watts")),
            weightsGigabytes: quantity(root, "weights_gigabytes"),
            kvKilobytesPerToken: quantity(root, "kv_kilobytes_per_token"),
            meterScope: root.choice("meter_scope") ?? .accelerator,
            decodeBuckets: buckets(of: root), knots: knots(of: root))
    }

    /// Finite and not negative.
    private static func quantity(_ block: BlockReader, _ key: String) -> Double {
        block.required(key) == nil ? 0 : block.number(key, in: 0...1e9) ?? 0
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
