import InferenceTypes

/// What an endpoint is busy with at the moment of a prediction.
public struct EndpointLoad: Hashable, Sendable {
    /// B: sequences that decode or are about to, ours and those of others.
    public var batch: Int
    /// Output tokens that those sequences are still expected to produce, all together.
    public var remainingTokens: Int
    /// Q: prefill work accepted and not done.
    public var queuedPrefill: TimeSpan
    /// rho: prefill seconds per second, a mean over the last few seconds. 0 is none, 1 is all.
    public var prefillUtilisation: Double

    /// Prefill accepted in about the last second, done or queued: what a short answer that runs
    /// here now stands still for.
    public var recentPrefill: TimeSpan

    public init(
        batch: Int = 0, remainingTokens: Int = 0, queuedPrefill: TimeSpan = .zero,
        prefillUtilisation: Double = 0, recentPrefill: TimeSpan = .zero
    ) {
        self.batch = max(batch, 0)
        self.remainingTokens = max(remainingTokens, 0)
        self.queuedPrefill = max(queuedPrefill, .zero)
        self.recentPrefill = max(recentPrefill, .zero)
        self.prefillUtilisation = prefillUtilisation > 0 ? prefillUtilisation : 0
    }

    public static let idle = EndpointLoad()
}
