import InferenceAPI
import InferenceTypes
import Scheduling

/// A batch that a model server does not take, or errs on: which message is to blame?
extension BatchFlight {
    /// An error answer is whole.
    func refused() {
        switch status {
        case 429, 503: attemptFailed(.saturated(retryAfter: retryAfter))
        case 400..<500: blame()
        default:
            if let family, Self.mayBeMessagesFault(status) {
                erred(family)
            } else {
                attemptFailed(.serverError(status: status))
            }
        }
    }

    /// 502 and 504 say that nobody computed anything.
    private static func mayBeMessagesFault(_ status: Int) -> Bool {
        status != 502 && status != 504
    }

    /// The model server takes some message for wrong: which one?
    private func blame() {
        // Keys, models, routes are nobody's text: what the server says of them is not for clients,
        // and the model's configuration says what they get instead.
        guard [400, 413, 422].contains(status) else {
            attemptFailed(.clientError(status: status))
            return
        }
        guard items.count > 1 else {
            desk.refuse(self, status: status, body: collected)
            finish(.failed(.clientError(status: status)), Usage())
            return
        }
        let parts = desk.split(self, family: family)
        finish(.failed(.clientError(status: status)), Usage(), replacements: parts)
    }

    /// The model server errs on a part of a batch on which others erred before. Errors on the whole
    /// batch were counted against endpoints; those on its parts say nothing new of them, however
    /// many come in a row: else a few batches of nothing but messages that no server can bear
    /// would take every endpoint from everybody.
    private func erred(_ family: BatchFamily) {
        let failure = UpstreamFailure.serverError(status: status)
        family.erred()
        shell.instruments.attemptFailed(self, failure)
        var parts = 0
        if items.count > 1, family.maySplit(at: now) {
            parts = desk.split(self, family: family)
        } else {
            let isOwnFault = items.count == 1 && !family.isServersFault
            desk.giveUp(self, .upstreamFailed, isOwnFault: isOwnFault)
        }
        finish(.cancelled, Usage(), replacements: parts)
    }

    /// True if no attempt is left and the last endpoint was there and erred.
    func isMessagesFault(_ rejection: Rejection) -> Bool {
        guard rejection.reason == .upstreamFailed,
            case .serverError(let status)? = rejection.lastFailure
        else { return false }
        return Self.mayBeMessagesFault(status)
    }

    /// Endpoints were there and erred on the whole batch until no attempt was left: one of its
    /// messages may be what they cannot bear. True if the batch goes on in parts.
    func divides(after rejection: Rejection) -> Bool {
        guard family == nil, items.count > 1, isMessagesFault(rejection) else { return false }
        let family = BatchFamily(shell.limits, since: closedAt)
        guard family.maySplit(at: now) else { return false }
        let parts = desk.split(self, family: family)
        release(after: nil, replacements: parts)
        return true
    }
}
