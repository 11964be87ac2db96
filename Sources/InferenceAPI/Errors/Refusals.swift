/// Every refusal that the gateway itself gives.
extension APIError {
    // MARK: The client's to mend

    public static let missingKey = APIError(
        status: 401, type: "authentication_error", code: "missing_api_key", param: nil,
        message: "No API key: send it as 'Authorization: Bearer KEY'.")

    public static let invalidKey = APIError(
        status: 401, type: "authentication_error", code: "invalid_api_key", param: nil,
        message: "Incorrect API key.")

    /// A request that cannot be understood; `param` names the field.
    public static func invalid(param: String?, _ message: String) -> APIError {
        APIError(
            status: 400, type: "invalid_request_error", code: nil, param: param,
            message: message)
    }

    public static func modelNotFound(_ name: String) -> APIError {
        APIError(
            status: 404, type: "invalid_request_error", code: "model_not_found",
            param: "model", message: "The model '\(name)' does not exist.")
    }

    /// A field that the operator has not allowed.
    public static func forbiddenField(_ name: String) -> APIError {
        APIError(
            status: 403, type: "permission_error", code: "field_not_allowed", param: name,
            message: "The field '\(name)' is not allowed here.")
    }

    public static let remoteMediaForbidden = APIError(
        status: 403, type: "permission_error", code: "remote_media_not_allowed", param: nil,
        message: "Media by address is not allowed here: send it inline, as a data: URL.")

    public static func bodyTooLarge(limit: Int) -> APIError {
        APIError(
            status: 413, type: "invalid_request_error", code: "body_too_large", param: nil,
            message: "The request body is longer than \(limit) bytes.")
    }

    public static let notFound = APIError(
        status: 404, type: "invalid_request_error", code: "not_found", param: nil,
        message: "There is nothing at this path.")

    /// `methods`: what the path does answer to, as a list for `allow`.
    public static func methodNotAllowed(allow methods: String) -> APIError {
        APIError(
            status: 405, type: "invalid_request_error", code: "method_not_allowed", param: nil,
            message: "This path does not answer to this method.", allow: methods)
    }

    // MARK: Later, perhaps

    public static func queueFull(retryAfterSeconds: Int) -> APIError {
        APIError(
            status: 429, type: "rate_limit_error", code: "queue_full", param: nil,
            message: "Too many requests are waiting.", retryAfterSeconds: retryAfterSeconds)
    }

    public static func queueTimeout(retryAfterSeconds: Int) -> APIError {
        APIError(
            status: 408, type: "timeout_error", code: "queue_timeout", param: nil,
            message: "No endpoint had room for the request in time.",
            retryAfterSeconds: retryAfterSeconds)
    }

    public static func powerBudget(retryAfterSeconds: Int) -> APIError {
        APIError(
            status: 429, type: "rate_limit_error", code: "power_budget", param: nil,
            message: "The power limit leaves no room for the request.",
            retryAfterSeconds: retryAfterSeconds)
    }

    public static func noEndpoints(retryAfterSeconds: Int) -> APIError {
        APIError(
            status: 503, type: "server_error", code: "no_endpoints", param: nil,
            message: "No healthy endpoint serves this model.",
            retryAfterSeconds: retryAfterSeconds, shouldRetry: true)
    }

    /// The process holds as many bytes of requests or answers as it may.
    public static let overloaded = APIError(
        status: 503, type: "server_error", code: "overloaded", param: nil,
        message: "The gateway holds as much as it may.", retryAfterSeconds: 2, shouldRetry: true)

    public static let draining = APIError(
        status: 503, type: "server_error", code: "draining", param: nil,
        message: "The gateway is shutting down.", retryAfterSeconds: 1, shouldRetry: true)

    // MARK: The upstream's fault
    // The gateway has retried these already: a client that did so too would multiply the load.

    public static let upstreamFailed = APIError(
        status: 502, type: "upstream_error", code: "upstream_failed", param: nil,
        message: "The model server could not be reached, or broke off its answer.",
        shouldRetry: false)

    public static let upstreamTimeout = APIError(
        status: 504, type: "timeout_error", code: "upstream_timeout", param: nil,
        message: "The model server did not answer in time.", shouldRetry: false)
}
