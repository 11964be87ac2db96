import EnergyModel
import InferenceTypes

/// What a batch has cost, in equal parts for its messages: a pass computes as many rows for the
/// shortest as for the longest. The parts add up to the whole to the last microjoule.
struct BatchEnergy {
    let whole: RequestEnergy
    let count: Int

    /// The part of one message, by its place in the batch. Worked: of 10 uJ for 3 the first gets
    /// 4 uJ, the others 3.
    func share(_ place: Int) -> RequestEnergy {
        var share = whole
        share.marginal = part(of: whole.marginal, place)
        share.total = part(of: whole.total, place)
        return share
    }

    private func part(of amount: Microjoules, _ place: Int) -> Microjoules {
        let (quotient, rest) = amount.value.quotientAndRemainder(dividingBy: Int64(max(count, 1)))
        let extra = Int64(place) < rest.magnitude ? rest.signum() : 0
        return Microjoules(quotient + extra)
    }
}

extension RequestEnergy {
    /// Of a verdict for which no accelerator had anything to do.
    static let nothing = RequestEnergy(
        marginal: .zero, total: .zero, provenance: .measured, scopes: [], isEstimated: false)

    static func + (a: RequestEnergy, b: RequestEnergy) -> RequestEnergy {
        RequestEnergy(
            marginal: a.marginal + b.marginal, total: a.total + b.total,
            provenance: a.provenance.combined(with: b.provenance),
            scopes: a.scopes + b.scopes.filter { !a.scopes.contains($0) },
            isEstimated: a.isEstimated || b.isEstimated)
    }
}
