import EnergyModel
import InferenceAPI
import InferenceTypes
import Transport

/// Answers that say what they have cost, to clients that asked for it: a member `energy` in the
/// body of a whole answer, a comment before the end of a stream.
extension Exchange {
    /// Settles a whole answer and holds its end back until the scheduler has named its cost, which
    /// it does before this turn is over. False if nobody asked.
    func awaitsCharge(_ usage: Usage? = nil) -> Bool {
        guard wantsEnergy else { return false }
        phase = .charging
        settle(.completed, usage)
        return true
    }

    /// The scheduler says what the request has cost.
    func charged(_ energy: RequestEnergy) {
        if phase == .charging { finishCharged(energy) }
    }

    /// Sends what was held back.
    func finishCharged(_ energy: RequestEnergy?) {
        guard let stream else {
            release()
            return
        }
        if relay != nil {
            detach()
            if let energy {
                let block = Array(": energy \(energy.json)\n\n".utf8)
                block.withUnsafeBytes { stream.send($0) }
            }
            relay?.withFinish { stream.send($0) }
            stream.finish()
            record(status: 200)
            if connection == nil { release() } else { awaitTrailer() }
            return
        }
        if let energy { EnergyMember.splice(energy.json, into: &collected) }
        appendAnswerFields()
        detach()
        stream.respond(status: upstreamStatus, fields: shell.fields, length: collected.count)
        collected.withUnsafeBytes { stream.send($0, end: true) }
        record(status: upstreamStatus)
        release()
    }
}

extension RequestEnergy {
    /// As it stands on the wire.
    var json: String {
        let scope = scopes.map(\.rawValue).joined(separator: "+")
        return "{\"joules\":\(total.joules.value),\"joules_marginal\":\(marginal.joules.value),"
            + "\"provenance\":\"\(provenance.rawValue)\",\"scope\":\"\(scope)\","
            + "\"estimated\":\(isEstimated)}"
    }
}
