import InferenceTypes

/// Where and when bulk requests, to whom nothing is promised, are let in: they fill the batches of
/// endpoints that run anyway, up to what the promises given there allow, and leave room for bursts.
public struct FillerRule: Hashable, Sendable {
    /// False: bulk waits its turn like everybody and goes wherever there is room.
    public var isOn = true
    /// Part of an endpoint's slots that bulk does not take.
    public var slotReserve = 0.125
    /// Of the promised time to first token, what a bulk prompt and the prefill queued before it may
    /// take where promised sequences run.
    public var prefillShare = 0.25
    /// Prefill that may be queued before a bulk prompt, wherever it goes: the rest waits here,
    /// where others may pass it. Where prefill is exclusive there may be none.
    public var mostQueuedPrefill = TimeSpan.milliseconds(100)
    /// Part of a model's endpoints that is kept clear of long bulk prompts, one at least.
    public var clearShare = 1.0 / 3
    /// From this age on a bulk request may open an idle endpoint if no busy one takes it.
    public var openAge = TimeSpan.seconds(2)
    /// From this age on it has its turn among the other classes whatever is promised.
    public var forceAge = TimeSpan.seconds(60)
    /// A model is shared for so long after the last request with a promise. Before and after, bulk
    /// has it to itself and none of this holds.
    public var memory = TimeSpan.seconds(60)
    /// How soon those who wait look again if nothing else happens.
    public var interval = TimeSpan.milliseconds(50)
    /// So many in a row that find no place end such a look.
    public var mostMisses = 4

    public init() {}
    public static let defaults = FillerRule()
}
