import InferenceAPI
import InferenceTypes
import Scheduling
import Testing
import Transport

@testable import Gateway

@Suite struct APIErrorTests {
    @Test(arguments: [
        (RejectionReason.saturated, 429, "queue_full"), (.noEndpoints, 503, "no_endpoints"),
        (.ttlExpired, 408, "queue_timeout"), (.shuttingDown, 503, "draining"),
        (.upstreamFailed, 502, "upstream_failed"), (.powerBudget, 429, "power_budget"),
    ])
    func aRejectionBecomesAStatus(reason: RejectionReason, status: Int, code: String) {
        let error = APIError(Rejection(reason: reason, retryAfterSeconds: 7))
        #expect(error.status == status)
        #expect(error.code == code)
        switch reason {
        case .saturated, .noEndpoints, .ttlExpired, .powerBudget:
            #expect(error.retryAfterSeconds == 7)
        case .shuttingDown: #expect(error.retryAfterSeconds == 1)
        case .upstreamFailed: #expect(error.shouldRetry == false)
        }
    }

    @Test(arguments: [UpstreamFailure.Phase.firstByte, .betweenBytes])
    func aTimeOutOfTheModelServerIsToldAsSuch(phase: UpstreamFailure.Phase) {
        let rejection = Rejection(
            reason: .upstreamFailed, retryAfterSeconds: 1, lastFailure: .timeout(phase))
        #expect(APIError(rejection) == .upstreamTimeout)
        #expect(APIError(rejection).status == 504)
    }

    @Test(arguments: [
        (RequestRefusal.headTooLarge, 431), (.uriTooLong, 414), (.bodyTooLarge, 413),
        (.malformed(status: 400), 400), (.malformed(status: 505), 505), (.bodyTimeout, 408),
    ])
    func aRefusalKeepsItsStatus(refusal: RequestRefusal, status: Int) {
        let error = APIError(refusal, limits: Limits())
        #expect(error.status == status)
        #expect(error.status == refusal.status)
        #expect(!error.message.isEmpty)
    }
}
