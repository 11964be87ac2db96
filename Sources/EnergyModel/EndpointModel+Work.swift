import InferenceTypes

extension EndpointModel {
    /// What the request costs on a full endpoint, whatever runs at the moment: the measure of
    /// engine work by which tenants share. `c_p (Lin - cached) + n Lout E*(M) / M`; of `n` items
    /// that are answered in one pass `n E*(M) / M`.
    ///
    /// Worked, H100 (M = 192): E*(192) = 13.25 J; 1 155 input and 211 output tokens: 27.3 + 211 x
    /// 0.0690 = 41.9 J.
    public func energyAtFullBatch(of size: RequestSize) -> Joules {
        let step = curve.energyAboveIdle(batch: curve.capacity).value / Double(curve.capacity)
        let prefill = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let steps = size.generates ? size.outputTokens : (prefillRule == .onePass ? 1 : 0)
        return Joules(prefill + Double(size.sequences) * Double(steps) * step)
    }
}
