import InferenceTypes

extension EndpointModel {
    /// Most that the accelerator group is expected to draw over the next second:
    ///
    ///     P = P(B) + s (Pp - P(B))        where prefill draws more than decoding
    ///     P = P(B) - rho (P(B) - Pp) / 2  where it draws less
    ///
    /// `s`: the share of a second that goes to prompts, queued or of the last second: a burst is
    /// seen at once. `rho` is the mean over some seconds, and only a part of the relief is counted
    /// on: prompts may stop coming at any time, above all when a power limit stops them, and then
    /// the batch draws P(B) until its sequences end.
    ///
    /// Worked, H100: 192 sequences draw P(192) = 688.3 W; with two thirds of the time at 640 W for
    /// prompts they draw 656.1 W and are taken for 672.2 W. 8 sequences with a tenth of the time
    /// for prompts: 486.5 + 0.1 (640 - 486.5) = 501.9 W.
    public func power(on load: EndpointLoad) -> Watts {
        guard load.batch > 0 || load.recentPrefill > .zero else { return curve.idlePower }
        let decode = load.batch > 0 ? curve.power(batch: load.batch) : curve.idlePower
        guard prefillRule != .onePass else { return decode }
        let share: Double
        if prefillPower > decode {
            share = min(max(load.recentPrefill, load.queuedPrefill).seconds, 1)
        } else {
            share = min(load.prefillUtilisation, 1) * Self.trustedRelief
        }
        return Watts(decode.value + (prefillPower.value - decode.value) * share)
    }

    /// In replays under a limit 0.5 gave a twentieth more throughput than 0, without overshoot; 1
    /// overshot by 2 % for two seconds.
    static let trustedRelief = 0.5
}
