import InferenceAPI
import InferenceTypes
import Transport
import WireProtocols

extension Route {
    static func resolve(_ head: borrowing FieldBlock) throws(APIError) -> Route {
        let method = head.index(of: ":method")
        let path = head.index(of: ":path")
        // CONNECT alone has no path: no tunnel leads anywhere from here.
        guard let method, let path else { throw .methodNotAllowed(allow: "GET, HEAD, POST") }
        let result = head.withValue(at: method) { method in
            head.withValue(at: path) { path in
                Result { () throws(APIError) -> Route in
                    try Route.resolve(method: method, path: path)
                }
            }
        }
        return try result.get()
    }
}

extension APIError {
    init(_ refusal: RequestRefusal, limits: Limits) {
        switch refusal {
        case .bodyTooLarge: self = .bodyTooLarge(limit: limits.requestBodyBytes)
        case .bodyTimeout:
            self.init(
                status: 408, type: "timeout_error", code: "request_timeout", param: nil,
                message: "The request body did not arrive in time.")
        case .overloaded: self = .overloaded
        case .headTooLarge:
            self.init(
                status: 431, type: "invalid_request_error", code: "header_too_large", param: nil,
                message: "The header fields exceed \(limits.headerListBytes) bytes or "
                    + "\(limits.headerFields) fields.")
        case .uriTooLong:
            self.init(
                status: 414, type: "invalid_request_error", code: "uri_too_long", param: nil,
                message: "The request target exceeds \(limits.uriBytes) bytes.")
        case .malformed(let status):
            self.init(
                status: status, type: "invalid_request_error", code: "malformed_request",
                param: nil, message: "The request is not valid HTTP.")
        }
    }
}

/// Answers that need no model server.
extension ReactorShell {
    func answer(_ stream: ServerStream, _ error: APIError) {
        refuse(stream, error)
        instruments.answered(status: error.status)
    }

    /// As `answer`, for a request that its exchange counts.
    func refuse(_ stream: ServerStream, _ error: APIError, id: RequestID? = nil) {
        fields.removeAll()
        fields.append(name: "content-type", value: "application/json")
        if let seconds = error.retryAfterSeconds {
            fields.append(name: "retry-after", number: seconds)
        }
        if let retry = error.shouldRetry {
            fields.append("x-should-retry", retry ? "true" : "false")
        }
        if let methods = error.allow { fields.append("allow", methods) }
        send(stream, status: error.status, body: error.body(), id: id)
    }

    func answer(_ stream: ServerStream, status: Int, json: String) {
        fields.removeAll()
        fields.append(name: "content-type", value: "application/json")
        send(stream, status: status, body: Array(json.utf8))
        instruments.answered(status: status)
    }

    private func send(
        _ stream: ServerStream, status: Int, body: [UInt8], id: RequestID? = nil
    ) {
        if let name = RequestIdentifier.fromClient(stream.head) {
            fields.append("x-request-id", name)
        } else if let id {
            RequestName.with(id: id, instance: gateway.instance) {
                fields.append(name: "x-request-id", value: $0)
            }
        }
        stream.respond(status: status, fields: fields, length: body.count)
        body.withUnsafeBytes { stream.send($0, end: true) }
    }

    func answerReadiness(_ stream: ServerStream) {
        if gateway.isDraining {
            answer(stream, .draining)
        } else if gateway.availability.load().isEmpty {
            answer(stream, .noEndpoints(retryAfterSeconds: 1))
        } else {
            answer(stream, status: 200, json: "{\"status\":\"ready\"}")
        }
    }

    /// Models that at least one pool can serve right now and this tenant may use.
    private func visibleModels(_ stream: ServerStream) -> [ModelList.Entry] {
        guard let tenant = try? directory.authenticate(stream.head) else { return [] }
        let available = gateway.availability.load()
        return directory.configuration.models.enumerated().compactMap { index, model in
            let id = ModelID(index)
            guard directory.serves(id, to: tenant, by: { available.contains($0) }) else {
                return nil
            }
            return ModelList.Entry(
                id: model.name, created: gateway.startedAtUnix, ownedBy: "joulegate",
                maxModelLength: nil)
        }
    }

    func answerModels(_ stream: ServerStream) {
        let body = ModelList.render(models: visibleModels(stream))
        fields.removeAll()
        fields.append(name: "content-type", value: "application/json")
        send(stream, status: 200, body: body)
        instruments.answered(status: 200)
    }

    func answerModel(_ stream: ServerStream, _ name: String) throws(APIError) {
        guard let id = directory.model(named: name),
            let entry = visibleModels(stream).first(where: { $0.id == directory.modelName(id) })
        else { throw .modelNotFound(name) }
        fields.removeAll()
        fields.append(name: "content-type", value: "application/json")
        send(stream, status: 200, body: ModelList.renderOne(entry))
        instruments.answered(status: 200)
    }
}

extension RequestIdentifier {
    /// The client's own request id, if it is fit to be logged and sent back.
    static func fromClient(_ head: borrowing FieldBlock) -> String? {
        head.withValue(of: "x-request-id") { RequestIdentifier.validated($0) } ?? nil
    }
}
