import Testing

@testable import InferenceAPI

struct APIErrorTests {
    @Test func hasTheOpenAIForm() {
        let error = APIError(
            status: 400, type: "t", code: nil, param: "a\"b", message: "line\nbreak")
        let body = #"{"error":{"message":"line\nbreak","type":"t","param":"a\"b","code":null}}"#
        #expect(String(decoding: error.body(), as: UTF8.self) == body)
        #expect(String(decoding: error.eventBytes(), as: UTF8.self) == "data: \(body)\n\n")
    }

    static let table: [(error: APIError, status: Int, type: String, code: String?)] = [
        (.missingKey, 401, "authentication_error", "missing_api_key"),
        (.invalidKey, 401, "authentication_error", "invalid_api_key"),
        (.modelNotFound("m"), 404, "invalid_request_error", "model_not_found"),
        (.forbiddenField("f"), 403, "permission_error", "field_not_allowed"),
        (.remoteMediaForbidden, 403, "permission_error", "remote_media_not_allowed"),
        (.bodyTooLarge(limit: 1), 413, "invalid_request_error", "body_too_large"),
        (.notFound, 404, "invalid_request_error", "not_found"),
        (.methodNotAllowed(allow: "GET"), 405, "invalid_request_error", "method_not_allowed"),
        (.queueFull(retryAfterSeconds: 2), 429, "rate_limit_error", "queue_full"),
        (.queueTimeout(retryAfterSeconds: 2), 408, "timeout_error", "queue_timeout"),
        (.noEndpoints(retryAfterSeconds: 2), 503, "server_error", "no_endpoints"),
        (.draining, 503, "server_error", "draining"),
        (.upstreamFailed, 502, "upstream_error", "upstream_failed"),
        (.upstreamTimeout, 504, "timeout_error", "upstream_timeout"),
        (.invalid(param: "n", "x"), 400, "invalid_request_error", nil),
    ]

    @Test func givesEachRefusalItsStatus() {
        for (error, status, type, code) in Self.table {
            #expect(error.status == status && error.type == type && error.code == code)
            #expect(error.body().withUnsafeBytes { JSONScanner.isValid($0, depth: 2) })
        }
    }

    @Test func tellsClientsWhetherToTryAgain() {
        #expect(APIError.queueFull(retryAfterSeconds: 7).retryAfterSeconds == 7)
        #expect(APIError.queueTimeout(retryAfterSeconds: 7).retryAfterSeconds == 7)
        #expect(APIError.noEndpoints(retryAfterSeconds: 7).shouldRetry == true)
        #expect(APIError.draining.retryAfterSeconds == 1)
        #expect(APIError.upstreamFailed.shouldRetry == false)
        #expect(APIError.upstreamTimeout.shouldRetry == false)
        #expect(APIError.modelNotFound("m").param == "model")
        #expect(APIError.forbiddenField("f").param == "f")
    }
}
