import Configuration
import InferenceAPI
import InferenceTypes
import Scheduling
import Transport
import WireProtocols

/// The attempt at a model server.
extension Exchange {
    func dispatch(_ placement: borrowing Placement) {
        guard phase == .placing, stream != nil else { return }
        let shell = shell
        endpoint = placement.endpoint
        pool = shell.directory.endpoints[endpoint.index].pool
        attempts = placement.attempt
        predictedEnergy = placement.estimate.marginalEnergy
        if explains { explanation = placement.explanation }
        hasRetriedFresh = false
        isCounted = true
        shell.instruments.attemptBegan(self)
        begin(fresh: false)
        let ownTime = MonotonicClock.now() - startedAt - placement.waited
        shell.instruments.dispatched(self, placement, ownTime: ownTime)
    }

    /// Takes a connection and sends the request on it.
    private func begin(fresh: Bool) {
        let shell = shell
        phase = .sending
        dispatchedAt = now
        lastByteAt = now
        upstreamStatus = 0
        if !collected.isEmpty { collected.removeAll(keepingCapacity: true) }
        if relay != nil { relay = nil }
        switch shell.connect(self, to: endpoint, fresh: fresh) {
        case .success(let connection):
            self.connection = connection
            write(to: connection, shell.directory.endpoints[endpoint.index])
        case .failure(let failure): attemptFailed(failure)
        }
    }

    /// The request as the model server gets it: a head of our own making, the client's bytes with
    /// as few splices as it takes.
    private func write(to connection: ClientConnection, _ endpoint: Directory.Endpoint) {
        guard let stream, edits != nil else { return }
        let directory = shell.directory
        let name = directory.upstreamName(of: model, in: endpoint.pool)
        let injectsUsage = injectsUsage(directory.engine(of: endpoint.pool))
        let splices = stream.body.withUnsafeBytes { body in
            edits?.splices(body: body, upstreamModel: name, injectUsage: injectsUsage)
                ?? BodySplices()
        }
        let length = splices.length(bodyCount: stream.body.count)
        var text: [UInt8] = []
        swap(&text, &shell.text)
        text.removeAll(keepingCapacity: true)
        UpstreamHead.append(to: &text, task: task, endpoint: endpoint, id: id,
            instance: shell.gateway.instance, length: length)
        stream.body.withUnsafeBytes { body in
            if splices.isEmpty, body.count > Self.mostCopied {
                text.withUnsafeBytes { connection.send($0, body) }
                return
            }
            if splices.isEmpty {
                text.append(contentsOf: body)
            } else {
                splices.append(body: body, to: &text)
            }
            text.withUnsafeBytes { connection.send($0) }
        }
        swap(&text, &shell.text)
    }

    /// Bytes of a body that are copied behind its head: handing the kernel two pieces costs more.
    private static let mostCopied = 1 << 10

    /// Streams are metered from the usage chunk, so it is asked for where the engine knows it.
    func injectsUsage(_ engine: EngineKind) -> Bool {
        guard streamsWithoutUsage else { return false }
        switch engine {
        case .vllm, .vllmRBLN, .llamaServer, .sglang: return task == .chat || task == .completion
        }
    }

    // MARK: Failing

    /// Nothing was sent downstream yet: the scheduler decides what is next.
    func attemptFailed(_ failure: UpstreamFailure) {
        cancelUpstream()
        endAttempt()
        phase = .placing
        relay = nil
        shell.instruments.attemptFailed(self, failure)
        shell.instruments.retried(failure)
        shell.submit(.attemptFailed(id, failure))
    }

    func connectionFailed(wasReused: Bool, _ failure: ClientFailure) {
        if phase == .trailing {
            release()
            return
        }
        // The answer was whole.
        if phase == .charging { return }
        // A keep-alive connection that the server closed while it was idle: its fault, not the
        // request's. One fresh connection to the same place.
        let wasStale =
            phase == .sending && wasReused && !hasRetriedFresh
            && failure == .closedBeforeResponse
        if wasStale {
            hasRetriedFresh = true
            shell.instruments.staleConnection()
            begin(fresh: true)
            return
        }
        attemptBroke(UpstreamFailure(failure), cause: .cut)
    }

    /// The attempt went wrong: try elsewhere if the client has seen nothing, else say so visibly.
    func attemptBroke(_ failure: UpstreamFailure, cause: StreamRelay.EndCause) {
        cancelUpstream()
        guard let stream else {
            release()
            return
        }
        guard stream.isAnswered else {
            attemptFailed(failure)
            return
        }
        if phase == .streaming {
            relay?.end(cause: cause)
            // The event that ends the answer was there, but for half of its last line end.
            if relay?.isDone == true { return streamEnded() }
        }
        settle(.failed(failure))
        shell.instruments.attemptFailed(self, failure)
        detach()
        if phase == .streaming {
            relay?.withPending { stream.send($0) }
            stream.finish()
        } else {
            stream.abort()
        }
        record(status: 502)
        release()
    }

    func reject(_ rejection: Rejection) {
        guard phase == .placing, let stream else { return }
        let error = APIError(rejection)
        shell.instruments.rejected(rejection)
        guard let answer = lastError else {
            refuse(error)
            return
        }
        // The model server's own words say more than ours would; ours is the retry advice.
        var fields = FieldBlock()
        fields.append("content-type", answer.contentType)
        if error.status == 429 || error.status == 503 || answer.status == 503 {
            fields.append(
                "retry-after", answer.retryAfter ?? String(rejection.retryAfterSeconds))
        }
        fields.append("x-should-retry", "false")
        appendIdentity(to: &fields)
        detach()
        stream.respond(status: answer.status, fields: fields, length: answer.body.count)
        answer.body.withUnsafeBytes { stream.send($0, end: true) }
        record(status: answer.status)
        release()
    }

    // MARK: Deadlines

    func checkDeadlines(at now: MonotonicTime) {
        let limits = shell.limits
        switch phase {
        case .idle, .receiving, .classifying, .placing:
            return
        case .trailing:
            if now - lastByteAt > .seconds(1) { release() }
            return
        case .charging:
            if now - lastByteAt > .seconds(1) { finishCharged(nil) }
            return
        case .sending:
            if connection?.isConnected == false {
                if now - dispatchedAt > limits.upstreamConnectTimeout {
                    attemptBroke(.connectFailed, cause: .timeout)
                    return
                }
            } else if now - dispatchedAt > limits.upstreamFirstByteTimeout {
                attemptBroke(.timeout(.firstByte), cause: .timeout)
                return
            }
        case .streaming, .buffering, .passing, .discarding:
            let patience =
                phase == .streaming && !hasFirstToken
                ? limits.upstreamFirstByteTimeout : limits.upstreamBetweenBytesTimeout
            if !isPaused, now - lastByteAt > patience {
                attemptBroke(
                    .timeout(hasFirstToken ? .betweenBytes : .firstByte), cause: .timeout)
                return
            }
        }
        if now - arrivedAt > limits.upstreamTotalTimeout {
            attemptBroke(.timeout(.betweenBytes), cause: .timeout)
        }
    }
}
