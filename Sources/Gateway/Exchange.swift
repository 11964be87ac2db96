import Configuration
import InferenceAPI
import InferenceTypes
import Scheduling
import Transport
import WireProtocols

/// One inference request from its head to its last byte: the client's stream on one side, the
/// attempt at a model server on the other.
final class Exchange: ClientHandler {
    /// Where the request stands. Each phase names those that may follow; every one may also end
    /// in `idle` when the client leaves.
    enum Phase {
        /// In the pool of spare objects -> `receiving`.
        case idle
        /// The head is here, the body is coming -> `placing`, `classifying`, `idle` (refused).
        case receiving
        /// Its messages are with the batcher or in batches -> `idle`.
        case classifying
        /// The scheduler has it (or queues it) -> `sending`, `idle` (rejected).
        case placing
        /// An attempt was started; no response head yet -> `streaming`, `buffering`, `discarding`,
        /// `placing` (the attempt failed), `idle`.
        case sending
        /// Server-sent events pass through the relay -> `trailing`, `placing`, `idle`.
        case streaming
        /// A unary answer is being collected -> `passing`, `placing`, `idle`.
        case buffering
        /// An answer too long to hold goes on as it comes -> `idle`.
        case passing
        /// An error answer is being read -> `placing` (another endpoint), `passing` (too long),
        /// `idle` (passed on).
        case discarding
        /// The answer is whole; its end waits for the scheduler to name its cost -> `trailing`,
        /// `idle`.
        case charging
        /// The client has everything; the end of the upstream's framing is awaited so that its
        /// connection can be used again -> `idle`.
        case trailing
    }

    /// Strong, since a constant's object need not be counted for each look at it: the shell lets go
    /// of its exchanges when its reactor's loop ends.
    let shell: ReactorShell
    let slot: Int
    var generation: UInt32 = 0
    var isActive = false

    var phase = Phase.idle
    var stream: ServerStream?
    var task = InferenceTask.chat
    var tenant = TenantID.anonymous
    var model = ModelID(-1)
    /// Of the body, what the attempts at model servers need.
    var edits: BodyEdits?
    /// The answer comes as a stream, and the client did not ask for its usage.
    var streamsWithoutUsage = false
    var choices = 1
    var clientRequestID: String?
    var explains = false
    /// The client asked what the request costs.
    var wantsEnergy = false
    /// Of a classification that is batched.
    var messages = MessageSet()

    // The attempt under way
    var connection: ClientConnection?
    /// Where the request was placed last: of the placement, which is long, what is asked for often.
    var pool: PoolID?
    var endpoint = EndpointID(0)
    /// Attempts so far.
    var attempts = 0
    /// Predicted at the last placement.
    var predictedEnergy = Joules.zero
    /// The last placement in words, for an admin.
    var explanation: String?
    var upstreamStatus = 0
    var upstreamFields = FieldBlock()
    var expectedLength: Int?
    var hasRetriedFresh = false
    /// Collected unary answer or error answer.
    var collected: [UInt8] = []
    var relay: StreamRelay?
    var isPaused = false
    /// Counted as in flight at its pool.
    var isCounted = false

    // Times
    /// The clock, not the turn's time, when work on the request began.
    var startedAt = MonotonicTime.zero
    var arrivedAt = MonotonicTime.zero
    var dispatchedAt = MonotonicTime.zero
    var lastByteAt = MonotonicTime.zero
    var lastTokenAt: MonotonicTime?
    var hasFirstToken = false
    var timeToFirstToken: TimeSpan?
    var settledUsage = Usage()
    var tokenEvents = 0
    var reportedTokens = 0

    /// An upstream's own error, to be passed on if no other endpoint helps.
    var lastError: UpstreamAnswer?

    init(shell: ReactorShell, slot: Int) {
        self.shell = shell
        self.slot = slot
    }

    // MARK: From the model server

    override func responded(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {
        answerBegan(connection, head)
    }

    override func received(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        answerContinued(bytes)
    }

    override func ended(_ connection: ClientConnection, isCloseDelimited: Bool) {
        self.connection = nil
        answerEnded(isCloseDelimited: isCloseDelimited)
    }

    override func failed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.connection = nil
        connectionFailed(wasReused: connection.isReused, failure)
    }

    var id: RequestID {
        RequestID(reactor: shell.reactor.index, slot: slot, generation: generation)
    }

    var now: MonotonicTime { shell.reactor.now }

    // MARK: From the client

    func open(_ stream: ServerStream, task: InferenceTask, tenant: TenantID) {
        phase = .receiving
        self.stream = stream
        stream.exchange = self
        self.task = task
        self.tenant = tenant
        let shell = shell
        arrivedAt = now
        clientRequestID = RequestIdentifier.fromClient(stream.head)
        explains = shell.directory.isAdmin(stream.head)
        wantsEnergy = stream.head.value(of: "x-joulegate-energy", begins: "true", whole: true)
    }

    /// The body is complete: understand it and ask the scheduler.
    func start() {
        guard phase == .receiving, let stream else { return }
        arrivedAt = now
        startedAt = MonotonicClock.now()
        do {
            try understand(stream)
        } catch {
            refuse(error)
        }
    }

    private func understand(_ stream: ServerStream) throws(APIError) {
        let shell = shell
        let directory = shell.directory
        if shell.gateway.isDraining { throw .draining }
        let body = stream.body
        let bytes = body.span.bytes
        // What a body comes to is long: it is used where it is made, and moved once.
        try bytes.withUnsafeBytes { body throws(APIError) in
            try place(
                ParsedRequest.parse(
                    task: task, body: body, limits: shell.limits,
                    defaultModel: directory.defaultModel),
                body, stream.head)
        }
    }

    /// `body` is the one that was parsed.
    private func place(
        _ parsed: borrowing ParsedRequest, _ body: UnsafeRawBufferPointer,
        _ head: borrowing FieldBlock
    ) throws(APIError) {
        let shell = shell
        let directory = shell.directory
        guard let model = directory.model(named: parsed.model),
            directory.serves(model, to: tenant)
        else { throw .modelNotFound(parsed.model) }
        try permit(parsed)
        self.model = model
        if task == .classify {
            if let line = directory.line(of: model) {
                if try shell.desk.accept(self, copy parsed, line) { return }
            } else if messages.surface == .decisions {
                throw .invalid(param: "model", "This model does not answer questions.")
            }
        }
        let serviceClass = directory.serviceClass(of: tenant)
        phase = .placing
        var request = InferenceRequest(
            id: id, tenant: tenant, model: model, task: task,
            serviceClass: serviceClass, streams: parsed.streams,
            promptBytes: parsed.promptBytes, mediaParts: parsed.mediaParts,
            maxOutputTokens: parsed.maxOutputTokens, choices: parsed.choices,
            objective: directory.objective(model, serviceClass, tenant))
        request.reportsEnergy = wantsEnergy
        if directory.hasChoice(of: model) { noteAffinity(parsed, body, head, in: &request) }
        shell.submit(.arrived(request))
        streamsWithoutUsage = parsed.streams && !parsed.clientWantsUsage
        choices = parsed.choices
        edits = BodyEdits(parsed)
    }

    /// Fields that run code on the model server, and URLs that make it fetch, need permission.
    private func permit(_ parsed: borrowing ParsedRequest) throws(APIError) {
        // Few have either.
        if parsed.restrictedFields.isEmpty, !parsed.hasRemoteMedia { return }
        let directory = shell.directory
        let denied = directory.configuration.deniedFields
        let tenant = directory.tenant(tenant)
        if !(tenant?.allowRestrictedFields ?? false),
            let field = parsed.restrictedFields.first(where: { denied.contains($0) })
        {
            throw .forbiddenField(field)
        }
        if parsed.hasRemoteMedia, !(tenant?.allowRemoteMedia ?? false) {
            throw .remoteMediaForbidden
        }
    }

    /// Answers with an error of our own before anything was sent.
    func refuse(_ error: APIError) {
        guard let stream else { return }
        detach()
        shell.refuse(stream, error, id: id)
        record(status: error.status)
        release()
    }

    func clientDrained() {
        guard isPaused else { return }
        isPaused = false
        lastByteAt = now
        connection?.resume()
    }

    /// The client left: the model server must hear of it at once.
    func clientGone() {
        detach()
        switch phase {
        case .idle, .receiving, .trailing, .charging: break
        case .placing: shell.submit(.withdrawn(id))
        case .classifying: shell.desk.left(self)
        case .sending, .streaming, .buffering, .passing, .discarding:
            settle(.cancelled)
        }
        if phase != .trailing { cancelUpstream() }
        if phase != .idle, phase != .trailing {
            record(status: 499)
            release()
        }
    }

    /// The process stops: whatever the client has so far ends with a visible error.
    func cutForShutdown() {
        guard let stream else { return }
        let error = APIError.draining
        cancelUpstream()
        switch phase {
        case .streaming where stream.isAnswered:
            settle(.failed(.cut))
            detach()
            error.eventBytes().withUnsafeBytes { stream.send($0, end: true) }
            record(status: 503)
            release()
        case .passing:
            settle(.failed(.cut))
            detach()
            stream.abort()
            record(status: 503)
            release()
        case .idle, .trailing:
            break
        case .charging:
            finishCharged(nil)
        case .placing:
            shell.submit(.withdrawn(id))
            refuse(error)
        case .receiving:
            refuse(error)
        case .classifying:
            shell.desk.left(self)
            refuse(error)
        case .sending, .streaming, .buffering, .discarding:
            settle(.failed(.cut))
            refuse(error)
        }
    }

    // MARK: Ending

    /// The verdicts are in the shell's text: sends them.
    func classified() {
        guard let stream else { return }
        let shell = shell
        shell.fields.removeAll()
        shell.fields.append(name: "content-type", value: "application/json")
        appendIdentity(to: &shell.fields)
        detach()
        stream.respond(status: 200, fields: shell.fields, length: shell.text.count)
        shell.text.withUnsafeBytes { stream.send($0, end: true) }
        settledUsage = Usage(inputTokens: messages.inputTokens)
        record(status: 200)
        release()
    }

    /// Lets the client's stream go; what was sent on it still leaves.
    func detach() {
        stream?.exchange = nil
        stream = nil
    }

    func cancelUpstream() {
        connection?.cancel()
        connection = nil
    }

    /// The attempt no longer counts as in flight.
    func endAttempt() {
        guard isCounted else { return }
        isCounted = false
        shell.instruments.attemptEnded(self)
    }

    /// Tells the scheduler how the attempt ended for good.
    func settle(_ outcome: Scheduler.Completion.Outcome, _ usage: Usage? = nil) {
        let shell = shell
        let usage = usage ?? self.usage
        settledUsage = usage
        shell.submit(.finished(id, Scheduler.Completion(outcome: outcome, usage: usage)))
        shell.instruments.used(self, usage)
    }

    /// What the engine said, or for a broken stream at least what was delivered.
    var usage: Usage {
        var usage = relay?.usage ?? Usage()
        if usage.outputTokens == nil, tokenEvents > 0 { usage.outputTokens = tokenEvents }
        return usage
    }

    func record(status: Int) {
        let duration = now - arrivedAt
        let shell = shell
        shell.instruments.ended(self, status: status, after: duration)
        guard shell.gateway.log.wants(status: status) else { return }
        shell.gateway.log.write(
            RequestRecord(
                id: id, clientRequestID: clientRequestID, tenant: tenant, model: model,
                task: task, endpoint: pool == nil ? nil : endpoint, attempts: attempts,
                status: status, duration: duration, timeToFirstToken: timeToFirstToken,
                usage: settledUsage, energy: pool == nil ? nil : predictedEnergy),
            by: shell.gateway)
    }

    /// Back to the table of spare exchanges. The last thing done to a request.
    func release() {
        guard isActive, phase != .idle else { return }
        detach()
        cancelUpstream()
        endAttempt()
        phase = .idle
        if messages.texts.count > 0 { messages.removeAll() }
        messages.surface = .classify
        edits = nil
        clientRequestID = nil
        pool = nil
        attempts = 0
        explanation = nil
        if relay != nil { relay = nil }
        if collected.capacity > 64 << 10 { collected = [] }
        if !collected.isEmpty { collected.removeAll(keepingCapacity: true) }
        upstreamFields.removeAll()
        expectedLength = nil
        hasRetriedFresh = false
        isPaused = false
        lastTokenAt = nil
        hasFirstToken = false
        timeToFirstToken = nil
        settledUsage = Usage()
        model = ModelID(-1)
        tokenEvents = 0
        reportedTokens = 0
        if lastError != nil { lastError = nil }
        shell.table.release(self)
    }
}

/// An error answer of a model server as it came.
struct UpstreamAnswer {
    var status: Int
    var contentType: String
    var retryAfter: String?
    var body: [UInt8]
}
