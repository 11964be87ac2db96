import InferenceAPI
import InferenceTypes
import Scheduling
import Transport
import WireProtocols

/// The model server's answer on its way to the client.
extension Exchange {
    func answerBegan(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {
        guard phase == .sending else { return }
        lastByteAt = now
        upstreamStatus = head.status
        expectedLength = head.contentLength
        connection.swapHead(with: &upstreamFields)
        let shell = shell
        guard (200..<300).contains(head.status) else {
            phase = .discarding
            return
        }
        let isEventStream = upstreamFields.value(
            of: "content-type", begins: "text/event-stream", whole: false)
        guard isEventStream else {
            phase = .buffering
            // A server that answers is no broken one; what it has to say comes at once.
            shell.submit(.firstToken(id))
            return
        }
        phase = .streaming
        let directory = shell.directory
        let engine = directory.engine(of: directory.endpoints[endpoint.index].pool)
        relay = StreamRelay(
            task: task, stripUsage: injectsUsage(engine), choices: choices,
            limits: shell.limits)
    }

    func answerContinued(_ bytes: UnsafeRawBufferPointer) {
        lastByteAt = now
        switch phase {
        case .streaming: relayEvents(bytes)
        case .buffering: collect(bytes)
        case .passing:
            stream?.send(bytes)
            slowDown()
        case .discarding: collectError(bytes)
        case .idle, .receiving, .classifying, .placing, .sending, .trailing, .charging: break
        }
    }

    func answerEnded(isCloseDelimited: Bool) {
        lastByteAt = now
        switch phase {
        case .streaming:
            relay?.end(cause: isCloseDelimited ? .closed : .clean)
            streamEnded()
        case .buffering: unaryEnded(isCloseDelimited: isCloseDelimited)
        case .passing: passedAll(isCloseDelimited: isCloseDelimited)
        case .discarding: errorAnswerEnded()
        case .trailing: release()
        case .idle, .receiving, .classifying, .placing, .sending, .charging: break
        }
    }

    // MARK: Streams

    private func relayEvents(_ bytes: UnsafeRawBufferPointer) {
        let before = relay?.contentEvents ?? 0
        let output = relay?.receive(bytes) ?? .nothing
        if relay?.isFailed == true, stream?.isAnswered == false {
            // The client has seen nothing of it: another endpoint may do better.
            attemptFailed(.serverError(status: 500))
            return
        }
        noteTokens(since: before)
        switch output {
        case .forward(let range):
            startStream()
            stream?.send(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .buffered:
            startStream()
            if let stream { relay?.withPending { stream.send($0) } }
        case .bufferedThen(let range):
            startStream()
            if let stream { relay?.withPending { stream.send($0) } }
            stream?.send(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .nothing:
            break
        }
        if relay?.isOpen == false { streamEnded() } else { slowDown() }
    }

    private func noteTokens(since before: Int) {
        let events = (relay?.contentEvents ?? 0) - before
        guard events > 0 else { return }
        tokenEvents += events
        if !hasFirstToken {
            hasFirstToken = true
            timeToFirstToken = now - arrivedAt
            shell.submit(.firstToken(id))
            shell.instruments.firstToken(self, after: now - arrivedAt)
        } else if let last = lastTokenAt {
            shell.instruments.tokens(self, events, gap: now - last)
        }
        lastTokenAt = now
    }

    /// Sends the response head once, when the first event is there to follow it.
    private func startStream() {
        guard let stream, !stream.isAnswered else { return }
        shell.fields.removeAll()
        shell.fields.append(name: "content-type", value: "text/event-stream; charset=utf-8")
        shell.fields.append(name: "cache-control", value: "no-cache")
        appendIdentity(to: &shell.fields)
        stream.respond(status: 200, fields: shell.fields)
        // From here on there is no other attempt: a long prompt need not outlive this moment.
        stream.dropBody()
    }

    /// The upstream's last framing is read to its end, also if the client's pace had paused it.
    func awaitTrailer() {
        phase = .trailing
        connection?.resume()
    }

    /// The relay says that the stream is over: well, or with an error event.
    func streamEnded() {
        guard let stream else { return }
        if relay?.isDone == true {
            startStream()
            relay?.withPending { stream.send($0) }
            if awaitsCharge() { return }
            detach()
            relay?.withFinish { stream.send($0) }
            stream.finish()
            settle(.completed)
            record(status: 200)
            if connection == nil { release() } else { awaitTrailer() }
            return
        }
        guard stream.isAnswered else {
            attemptFailed(.cut)
            return
        }
        cancelUpstream()
        settle(.failed(.cut))
        shell.instruments.attemptFailed(self, .cut)
        detach()
        relay?.withPending { stream.send($0) }
        stream.finish()
        record(status: 502)
        release()
    }

    /// Pauses the upstream while the client's buffer is full.
    private func slowDown() {
        guard !isPaused, let stream, let connection, stream.isFull else { return }
        isPaused = true
        connection.pause()
        stream.notifyWhenDrained()
    }

    // MARK: Unary answers

    private func collect(_ bytes: UnsafeRawBufferPointer) {
        collected.append(contentsOf: bytes)
        if collected.count > shell.limits.unaryBufferBytes { passOn() }
    }

    /// Too long to hold: from here on a cut can only be shown as a broken stream.
    private func passOn() {
        guard let stream else { return }
        phase = .passing
        appendAnswerFields()
        stream.respond(status: upstreamStatus, fields: shell.fields, length: expectedLength)
        collected.withUnsafeBytes { stream.send($0) }
        collected = []
        slowDown()
    }

    private func unaryEnded(isCloseDelimited: Bool) {
        guard let stream else { return }
        let shell = shell
        let body = collected
        let isWhole = body.withUnsafeBytes { body in
            !isCloseDelimited || JSONScanner.isValid(body, depth: shell.limits.jsonDepth)
        }
        guard isWhole else {
            attemptFailed(.cut)
            return
        }
        let usage = body.withUnsafeBytes { UnaryUsage.parse($0, task: task) }
        if awaitsCharge(usage) { return }
        appendAnswerFields()
        detach()
        stream.respond(status: upstreamStatus, fields: shell.fields, length: body.count)
        body.withUnsafeBytes { stream.send($0, end: true) }
        settle(.completed, usage)
        record(status: upstreamStatus)
        release()
    }

    private func passedAll(isCloseDelimited: Bool) {
        guard let stream else { return }
        let failure = answerFailure
        detach()
        if isCloseDelimited {
            // Nobody can say whether this was the end.
            settle(.failed(.cut))
            stream.abort()
            record(status: 502)
        } else {
            settle(failure.map { .failed($0) } ?? .completed)
            stream.finish()
            record(status: upstreamStatus)
        }
        release()
    }

    // MARK: Error answers

    /// What the answer's status says of the model server; `nil` for a success.
    private var answerFailure: UpstreamFailure? {
        switch upstreamStatus {
        case 200..<300:
            return nil
        case 429, 503:
            let seconds = upstreamFields.string("retry-after").flatMap { Int64($0) }
            return .saturated(retryAfter: seconds.map { .seconds($0) })
        case 400..<500:
            return .clientError(status: upstreamStatus)
        default:
            return .serverError(status: upstreamStatus)
        }
    }

    /// Holds an error answer; one that is too long for that is passed on as it comes if it is the
    /// client's business, else ours takes its place. A part of it must never look like the whole.
    private func collectError(_ bytes: UnsafeRawBufferPointer) {
        collected.append(contentsOf: bytes)
        guard collected.count > 64 << 10, let failure = answerFailure else { return }
        if case .clientError = failure { passOn() } else { attemptFailed(failure) }
    }

    private func errorAnswerEnded() {
        let answer = UpstreamAnswer(
            status: upstreamStatus,
            contentType: upstreamFields.string("content-type") ?? "application/json",
            retryAfter: upstreamFields.string("retry-after"), body: collected)
        guard let failure = answerFailure else { return }
        if case .clientError = failure {
            pass(answer)
        } else {
            lastError = answer
            attemptFailed(failure)
        }
    }

    /// A 4xx is the client's business: as it came.
    private func pass(_ answer: UpstreamAnswer) {
        guard let stream else { return }
        appendAnswerFields()
        detach()
        stream.respond(
            status: answer.status, fields: shell.fields, length: answer.body.count)
        answer.body.withUnsafeBytes { stream.send($0, end: true) }
        settle(.failed(.clientError(status: answer.status)))
        record(status: answer.status)
        release()
    }

    // MARK: Fields

    /// From a fixed list: nothing else of an upstream's head reaches a client.
    func appendAnswerFields() {
        // A name of its own: each use of the property would count a reference.
        let shell = shell
        shell.fields.removeAll()
        if let index = upstreamFields.index(of: "content-type") {
            shell.fields.append(upstreamFields, at: index)
        } else {
            shell.fields.append(name: "content-type", value: "application/json")
        }
        if let index = upstreamFields.index(of: "retry-after") {
            shell.fields.append(upstreamFields, at: index)
        }
        appendIdentity(to: &shell.fields)
    }

    /// Which request this was, and to an admin where it went and why.
    func appendIdentity(to fields: inout FieldBlock) {
        let shell = shell
        if let clientRequestID {
            fields.append("x-request-id", clientRequestID)
        } else {
            RequestName.with(id: id, instance: shell.gateway.instance) {
                fields.append(name: "x-request-id", value: $0)
            }
        }
        guard explains, let explanation else { return }
        let endpoint = shell.directory.endpoints[endpoint.index]
        fields.append(
            "x-joulegate-endpoint", "\(shell.directory.pool(endpoint.pool).name)/\(endpoint.name)")
        fields.append("x-joulegate-reason", explanation)
    }

    // MARK: Progress

    func takeProgress() -> Scheduler.TokenProgress? {
        guard phase == .streaming, tokenEvents > reportedTokens else { return nil }
        reportedTokens = tokenEvents
        return Scheduler.TokenProgress(request: id, outputTokens: tokenEvents)
    }
}
