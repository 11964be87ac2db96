/// A refusal in the OpenAI form, with what its response's headers need.
public struct APIError: Error, Equatable, Sendable {
    public var status: Int
    public var type: String
    public var code: String?
    /// The request's field at fault.
    public var param: String?
    public var message: String
    /// Goes into `retry-after`.
    public var retryAfterSeconds: Int?
    /// Goes into `x-should-retry`, which OpenAI's clients let override their own judgement.
    public var shouldRetry: Bool?
    /// Goes into `allow`: the methods that would do.
    public var allow: String?

    public init(
        status: Int, type: String, code: String?, param: String?, message: String,
        retryAfterSeconds: Int? = nil, shouldRetry: Bool? = nil,
        allow: String? = nil
    ) {
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
        self.shouldRetry = shouldRetry
        self.allow = allow
    }

    /// The response's body.
    public func body() -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// The same as one server-sent event, for a stream that has begun.
    public func eventBytes() -> [UInt8] {
        var bytes = Array("data: ".utf8)
        append(to: &bytes)
        bytes.append(contentsOf: "\n\n".utf8)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"error\":{\"message\":".utf8)
        JSONText.append(message, to: &bytes)
        bytes.append(contentsOf: ",\"type\":".utf8)
        JSONText.append(type, to: &bytes)
        bytes.append(contentsOf: ",\"param\":".utf8)
        Self.append(param, to: &bytes)
        bytes.append(contentsOf: ",\"code\":".utf8)
        Self.append(code, to: &bytes)
        bytes.append(contentsOf: "}}".utf8)
    }

    private static func append(_ string: String?, to bytes: inout [UInt8]) {
        if let string {
            JSONText.append(string, to: &bytes)
        } else {
            bytes.append(contentsOf: "null".utf8)
        }
    }
}
