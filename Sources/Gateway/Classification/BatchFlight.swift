import Classification
import EnergyModel
import InferenceAPI
import InferenceTypes
import Scheduling
import Transport
import WireProtocols

/// One batch from its closing to its last verdict: to the scheduler it is a request like any other,
/// to the model server an array of texts.
///
/// A batch that the model server refuses as a client's mistake is cut in two, and each half goes
/// its own way, until the message that is to blame is alone.
final class BatchFlight: ClientHandler {
    /// Where the batch stands; each phase names those that may follow.
    enum Phase {
        /// Spare -> `placing`.
        case idle
        /// The scheduler has it or queues it -> `sending`, `idle` (rejected).
        case placing
        /// An attempt was started; no response head yet -> `buffering`, `discarding`, `placing`.
        case sending
        /// The verdicts come -> `idle`, `placing` (they broke off).
        case buffering
        /// An error answer comes -> `idle`, `placing`.
        case discarding
        /// The verdicts are there; the scheduler is to name their cost -> `idle`.
        case charging
    }

    unowned(unsafe) let shell: ReactorShell
    let slot: Int
    var generation: UInt32 = 0
    var isActive = false
    var phase = Phase.idle

    var line: ClassifierLine
    var group = -1
    var items: [Batch.Item] = []
    /// For each message the company that it led when it left, if one.
    var leads: [SipHash.Digest?] = []
    /// Somebody asked what a message costs.
    var wantsEnergy = false
    /// The texts as elements of a JSON array, with commas, and where each ends.
    var texts: [UInt8] = []
    var ends: [Int] = []
    var closedAt = MonotonicTime.zero
    /// Of a batch on which a model server erred.
    var family: BatchFamily?
    /// Parts of the same batch that may start when this one and its own parts are over.
    var successors: [BatchFlight] = []

    /// Where it was placed last.
    private(set) var pool: PoolID?
    private var endpoint = EndpointID(0)
    private var connection: ClientConnection?
    private(set) var status = 0
    private(set) var retryAfter: TimeSpan?
    private(set) var collected: [UInt8] = []
    private var answer: BatchAnswer?
    private var hasRetriedFresh = false
    private var isCounted = false
    /// Counted among the messages that wait.
    private var isWaiting = false
    private var sentAt = MonotonicTime.zero
    private var lastByteAt = MonotonicTime.zero

    init(shell: ReactorShell, slot: Int, line: ClassifierLine) {
        self.shell = shell
        self.slot = slot
        self.line = line
    }

    var model: ModelID { line.model }
    var tenant: TenantID { TenantID(group) }
    var desk: ClassifyDesk { shell.desk }
    var now: MonotonicTime { shell.reactor.now }

    var id: RequestID {
        RequestID(
            reactor: shell.reactor.index, slot: slot | RequestID.batchBit, generation: generation)
    }

    /// The text of one message as a JSON string.
    func text(_ index: Int) -> ArraySlice<UInt8> {
        texts[(index == 0 ? 0 : ends[index - 1] + 1)..<ends[index]]
    }

    // MARK: To the model server

    /// Hands the batch to the scheduler. Its messages are among those that wait.
    func start(at now: MonotonicTime) {
        phase = .placing
        isWaiting = true
        closedAt = now
        let serviceClass = shell.directory.tenant(tenant)?.serviceClass ?? .default
        var request = InferenceRequest(
            id: id, tenant: tenant, model: model, task: .classify,
            serviceClass: serviceClass, promptBytes: texts.count, choices: items.count,
            objective: shell.directory.objective(model, serviceClass, tenant))
        request.reportsEnergy = wantsEnergy
        shell.submit(.arrived(request))
    }

    func dispatch(_ placement: borrowing Placement) {
        guard phase == .placing else { return }
        endpoint = placement.endpoint
        pool = shell.directory.endpoints[endpoint.index].pool
        hasRetriedFresh = false
        isCounted = true
        endWaiting()
        shell.instruments.attemptBegan(self)
        shell.instruments.dispatched(
            self, placement, ownTime: now - closedAt - placement.waited)
        begin(fresh: false)
    }

    private func begin(fresh: Bool) {
        phase = .sending
        sentAt = now
        lastByteAt = now
        collected.removeAll(keepingCapacity: true)
        switch shell.connect(self, to: endpoint, fresh: fresh) {
        case .success(let connection):
            self.connection = connection
            write(to: connection, shell.directory.endpoints[endpoint.index])
        case .failure(let failure): attemptFailed(failure)
        }
    }

    private func write(to connection: ClientConnection, _ endpoint: Directory.Endpoint) {
        var body = Array("{\"model\":".utf8)
        body.reserveCapacity(texts.count + 128)
        JSONText.append(shell.directory.upstreamName(of: model, in: endpoint.pool), to: &body)
        body.append(contentsOf: ",\"input\":[".utf8)
        body.append(contentsOf: texts)
        body.append(contentsOf: "]}".utf8)
        var head: [UInt8] = []
        UpstreamHead.append(
            to: &head, task: .classify, endpoint: endpoint, id: id,
            instance: shell.gateway.instance, length: body.count)
        head.withUnsafeBytes { head in
            body.withUnsafeBytes { connection.send(head, $0) }
        }
    }

    // MARK: From the model server

    override func responded(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {
        guard phase == .sending else { return }
        lastByteAt = now
        status = head.status
        phase = (200..<300).contains(head.status) ? .buffering : .discarding
        retryAfter = nil
        if phase == .discarding, let seconds = connection.head.string("retry-after") {
            retryAfter = Int64(seconds).map { .seconds($0) }
        }
    }

    override func received(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        lastByteAt = now
        switch phase {
        case .buffering:
            collected.append(contentsOf: bytes)
            // A kibibyte for each verdict is more than any model server needs.
            if collected.count > max(shell.limits.unaryBufferBytes, items.count << 10) {
                attemptFailed(.malformed)
            }
        case .discarding:
            let room = max(0, Self.longestRefusal - collected.count)
            collected.append(contentsOf: bytes.prefix(room))
        case .idle, .placing, .sending, .charging: break
        }
    }

    private static let longestRefusal = 4 << 10

    override func ended(_ connection: ClientConnection, isCloseDelimited: Bool) {
        self.connection = nil
        switch phase {
        case .buffering: deliver()
        case .discarding: refused()
        case .idle, .placing, .sending, .charging: break
        }
    }

    override func failed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.connection = nil
        guard phase != .idle, phase != .placing, phase != .charging else { return }
        // A kept connection that the server closed while it was idle: one fresh one to the same
        // place.
        if phase == .sending, connection.isReused, !hasRetriedFresh,
            failure == .closedBeforeResponse
        {
            hasRetriedFresh = true
            shell.instruments.staleConnection()
            begin(fresh: true)
            return
        }
        attemptFailed(UpstreamFailure(failure))
    }

    private func deliver() {
        let count = items.count
        let depth = shell.limits.jsonDepth
        let answer = collected.withUnsafeBytes {
            BatchAnswer.parse($0, count: count, depth: depth)
        }
        guard let answer else {
            attemptFailed(.malformed)
            return
        }
        family?.answered()
        if wantsEnergy {
            self.answer = answer
            phase = .charging
            shell.submit(
                .finished(id, Scheduler.Completion(outcome: .completed, usage: answer.usage)))
            shell.instruments.used(self, answer.usage)
            return
        }
        collected.withUnsafeBytes { desk.deliver(answer, $0, of: self) }
        finish(.completed, answer.usage)
    }

    /// The scheduler says what the batch has cost, in the turn in which it ended; `nil`: it does
    /// not.
    func charged(_ energy: RequestEnergy?) {
        guard phase == .charging, let answer else { return }
        let energy = energy.map { BatchEnergy(whole: $0, count: items.count) }
        collected.withUnsafeBytes { desk.deliver(answer, $0, of: self, energy: energy) }
        release(after: now - closedAt)
    }

    // MARK: Failing

    func attemptFailed(_ failure: UpstreamFailure) {
        cancelUpstream()
        endAttempt()
        phase = .placing
        waits()
        shell.instruments.attemptFailed(self, failure)
        shell.instruments.retried(failure)
        shell.submit(.attemptFailed(id, failure))
    }

    /// The scheduler gives the batch up.
    func reject(_ rejection: Rejection) {
        guard phase == .placing else { return }
        if divides(after: rejection) { return }
        shell.instruments.rejected(rejection)
        desk.giveUp(
            self, APIError(rejection),
            isOwnFault: items.count == 1 && isMessagesFault(rejection))
        release(after: nil)
    }

    /// Nobody waits for it any more.
    func cancel() {
        switch phase {
        case .idle: return
        case .placing: shell.submit(.withdrawn(id))
        case .sending, .buffering, .discarding:
            shell.submit(.finished(id, Scheduler.Completion(outcome: .cancelled)))
        case .charging: break
        }
        release(after: nil)
    }

    func checkDeadlines(at now: MonotonicTime) {
        let limits = shell.limits
        switch phase {
        case .idle: return
        case .placing: break
        case .charging:
            if now - lastByteAt > .seconds(1) { charged(nil) }
            return
        case .sending:
            if connection?.isConnected == false {
                if now - sentAt > limits.upstreamConnectTimeout {
                    return attemptFailed(.connectFailed)
                }
            } else if now - sentAt > limits.upstreamFirstByteTimeout {
                return attemptFailed(.timeout(.firstByte))
            }
        case .buffering, .discarding:
            if now - lastByteAt > limits.upstreamBetweenBytesTimeout {
                return attemptFailed(.timeout(.betweenBytes))
            }
        }
        if !desk.isAwaited(self) { cancel() }
    }

    // MARK: Ending

    func finish(
        _ outcome: Scheduler.Completion.Outcome, _ usage: Usage, replacements: Int = 0
    ) {
        shell.submit(.finished(id, Scheduler.Completion(outcome: outcome, usage: usage)))
        shell.instruments.used(self, usage)
        release(after: now - closedAt, replacements: replacements)
    }

    private func endAttempt() {
        guard isCounted else { return }
        isCounted = false
        shell.instruments.attemptEnded(self)
    }

    /// Its messages wait again.
    func waits() {
        isWaiting = true
        desk.waiting(model).comeBack(items.count)
    }

    private func endWaiting() {
        guard isWaiting else { return }
        isWaiting = false
        desk.waiting(model).leave(items.count)
    }

    private func cancelUpstream() {
        connection?.cancel()
        connection = nil
    }

    func release(after span: TimeSpan?, replacements: Int = 0) {
        cancelUpstream()
        endAttempt()
        endWaiting()
        phase = .idle
        pool = nil
        if collected.capacity > 256 << 10 { collected = [] }
        texts.removeAll(keepingCapacity: texts.capacity <= 256 << 10)
        ends.removeAll(keepingCapacity: true)
        let (model, group) = (self.model, self.group)
        if !leads.isEmpty { desk.disband(self) }
        items = []
        answer = nil
        wantsEnergy = false
        family = nil
        var successors: [BatchFlight] = []
        swap(&successors, &self.successors)
        desk.flightEnded(self, model, group, after: span, replacements: replacements)
        guard let next = successors.first else { return }
        next.successors = Array(successors.dropFirst())
        next.takeTurn()
    }

    /// The parts before this one are over.
    private func takeTurn() {
        if desk.isAwaited(self) { start(at: now) } else { release(after: nil) }
    }
}
