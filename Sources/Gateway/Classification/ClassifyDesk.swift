import Classification
import InferenceAPI
import InferenceTypes
import Scheduling
import Transport

/// Classification on one reactor: takes requests apart into messages, sends these in batches, and
/// puts the verdicts together again, each request's in its own order.
final class ClassifyDesk {
    unowned(unsafe) let shell: ReactorShell
    var batcher: Batcher
    var flights = FlightTable()
    private var deadlines = VerdictDeadlines()
    var closed: [Batch] = []
    /// Something came or ended since the batcher was last asked.
    var hasNews = false
    private var timer: Timer?
    let tally: ClassificationTally
    /// By ``ModelID``.
    private var cascades: [Cascade?] = []
    /// Messages that are the same and on their way, by the cache's key.
    var companies: [SipHash.Digest: Company] = [:]
    /// Members of one verdict, without what names its stage.
    private var members: [UInt8] = []
    /// Probabilities of one verdict.
    private var numbers: [Double] = []

    init(_ shell: ReactorShell) {
        self.shell = shell
        batcher = Batcher(rules: shell.directory.lines.map { $0?.rule })
        let board = shell.gateway.classification
        let tally = board.tallies[shell.reactor.index]
        self.tally = tally
        cascades = shell.directory.lines.map { line in
            line.map { line in
                Cascade(
                    line, tenants: shell.directory.configuration.tenants.count, salt: board.salt,
                    rules: board.rules(of: line.model), tally: tally)
            }
        }
        timer = Timer(on: shell.reactor) { [unowned self] in self.timeHasCome() }
    }

    var now: MonotonicTime { shell.reactor.now }

    func waiting(_ model: ModelID) -> WaitingMessages {
        shell.gateway.classification.waiting[model.index]
    }

    // MARK: In

    /// Takes a request over; false if its messages cannot share a batch, and it goes upstream as
    /// it is.
    func accept(
        _ exchange: Exchange, _ parsed: ParsedRequest, _ line: ClassifierLine
    ) throws(APIError) -> Bool {
        guard let stream = exchange.stream else { return true }
        let surface = exchange.messages.surface
        let layout = parsed.classification
        let isReadable = stream.body.withUnsafeBytes { body in
            exchange.messages.texts.read(layout, body: body, mayList: surface == .classify)
        }
        if surface == .decisions {
            guard isReadable else {
                throw .invalid(param: "input", "'input' must be text, or messages of text.")
            }
            exchange.messages.questions = try readQuestions(layout, stream, line)
        } else if !isReadable || layout.hasOptions {
            return false
        }
        let count = exchange.messages.texts.count
        let most = min(shell.limits.messagesPerRequest, MessageToken.mostMessages)
        guard count <= most else {
            throw .invalid(param: "input", "'input' may have \(most) texts.")
        }
        let waiting = waiting(line.model)
        guard count <= waiting.most else {
            throw .invalid(
                param: "input",
                "'input' has \(count) texts; of this model at most \(waiting.most) may wait.")
        }
        exchange.messages.begin()
        if exchange.wantsEnergy { exchange.messages.reportEnergy() }
        setAsideUnreadable(exchange)
        judge(exchange, line)
        // What the early stages have decided needs no room.
        guard waiting.enter(exchange.messages.openCount) else {
            throw .queueFull(retryAfterSeconds: 1)
        }
        exchange.messages.deadline = deadline(of: exchange, line)
        exchange.phase = .classifying
        tally.add(.messages, count)
        if exchange.messages.openCount == 0 {
            answer(exchange)
        } else {
            enqueue(exchange, line)
        }
        return true
    }

    /// What is no Unicode would have a model server refuse the whole batch.
    private func setAsideUnreadable(_ exchange: Exchange) {
        guard let stream = exchange.stream else { return }
        for index in 0..<exchange.messages.texts.count {
            let isUnreadable = stream.body.withUnsafeBytes { body in
                exchange.messages.texts.withText(index, of: body) {
                    InferenceAPI.JSONText.hasLoneSurrogate($0)
                }
            }
            if isUnreadable { exchange.messages.fail(index, .unreadable) }
        }
    }

    // MARK: Cascade

    /// The admin page changed something.
    func updateRules() {
        for cascade in cascades {
            guard let cascade else { continue }
            cascade.update(shell.gateway.classification.rules(of: cascade.line.model))
        }
    }

    /// Lets the cheap stages decide what they are sure of.
    private func judge(_ exchange: Exchange, _ line: ClassifierLine) {
        guard let cascade = cascades[line.model.index], cascade.isActive,
            let stream = exchange.stream
        else { return }
        let keeps = line.settings.cache.entries > 0
        let (tenant, now) = (exchange.tenant, now)
        for index in 0..<exchange.messages.texts.count {
            guard exchange.messages.isOpen(index) else {
                if keeps { exchange.messages.keys.append(nil) }
                continue
            }
            let finding = stream.body.withUnsafeBytes { body in
                exchange.messages.texts.withText(index, of: body) {
                    cascade.judge($0, of: tenant, at: now)
                }
            }
            var key: SipHash.Digest?
            switch finding {
            case .open(let digest): key = digest
            case .allowed:
                exchange.messages.decide(index) { line.appendAllowed(to: &$0) }
            case .cached(let verdict):
                exchange.messages.decide(index) { bytes in
                    bytes.append(contentsOf: verdict.members)
                    bytes.append(contentsOf: line.cacheSignature)
                }
            case .scored(let probability):
                let rules = cascade.rules
                exchange.messages.decide(index) { bytes in
                    line.append(probability, by: rules, to: &bytes)
                }
            }
            if keeps { exchange.messages.keys.append(key) }
            exchange.messages.charge(index, .nothing)
        }
    }

    private func readQuestions(
        _ layout: ClassificationLayout, _ stream: ServerStream, _ line: ClassifierLine
    ) throws(APIError) -> DecisionQuestions {
        let body = stream.body
        let bytes = body.span.bytes
        return try bytes.withUnsafeBytes { body throws(APIError) in
            try DecisionQuestions(
                at: layout.questions, of: body, labels: line.quotedLabels,
                positive: line.settings.positiveLabel)
        }
    }

    private func enqueue(_ exchange: Exchange, _ line: ClassifierLine) {
        let deadline = exchange.messages.deadline
        for index in 0..<exchange.messages.texts.count where exchange.messages.isOpen(index) {
            if !follows(exchange, index, line) { add(exchange, index) }
        }
        hasNews = true
        if deadline != .distantFuture {
            if deadlines.count > 4 * shell.table.active + 4_096 {
                let table = shell.table
                deadlines.keep { table.find($0) != nil }
            }
            deadlines.add(exchange.id, at: deadline)
            arm(at: deadline)
        }
    }

    /// Hands a message to the batcher. It counts among those that wait.
    func add(_ exchange: Exchange, _ index: Int) {
        guard let line = shell.directory.line(of: exchange.model) else { return }
        let item = Batch.Item(
            token: MessageToken(exchange, index: index).rawValue,
            bytes: exchange.messages.texts.byteCount(of: index), arrival: exchange.arrivedAt,
            deadline: exchange.messages.deadline)
        let ticket = batcher.add(
            item, model: line.model, group: line.group(of: exchange.tenant), into: &closed)
        exchange.messages.tickets[index] = ticket ?? -1
        hasNews = true
    }

    private func deadline(of exchange: Exchange, _ line: ClassifierLine) -> MonotonicTime {
        var limit = line.policy.defaultTimeout
        if line.policy.allowTimeoutOverride, let stream = exchange.stream,
            let own = RequestTimeout.read(stream.head)
        {
            limit = own
        }
        return limit > .zero ? exchange.arrivedAt + limit : .distantFuture
    }

    /// The client left: its messages travel no further than they are.
    func left(_ exchange: Exchange) {
        let model = exchange.model
        guard let line = shell.directory.line(of: model) else { return }
        let group = line.group(of: exchange.tenant)
        var count = 0
        for index in exchange.messages.tickets.indices where exchange.messages.isOpen(index) {
            let ticket = exchange.messages.tickets[index]
            if ticket >= 0, batcher.forget(ticket, model: model, group: group) { count += 1 }
            count += leftCompany(exchange, index)
        }
        waiting(model).leave(count)
    }

    // MARK: Time

    /// At the end of a turn: what is to be sent is sent before the scheduler is asked.
    func turnEnding() {
        guard hasNews else { return }
        hasNews = false
        batcher.close(at: now, into: &closed)
        if !closed.isEmpty { sendClosed() }
        if let next = batcher.nextDeadline() { arm(at: next) }
    }

    private func arm(at time: MonotonicTime) {
        guard let timer else { return }
        if let armed = timer.deadline, armed <= time { return }
        timer.arm(at: time)
    }

    private func timeHasCome() {
        hasNews = true
        while let id = deadlines.popDue(at: now) {
            guard let exchange = shell.table.find(id), exchange.phase == .classifying else {
                continue
            }
            exchange.messages.reason = .verdictTimeout
            left(exchange)
            exchange.messages.giveUp()
            answer(exchange)
        }
        if let next = deadlines.next { arm(at: next) }
    }

    func checkDeadlines(at now: MonotonicTime) {
        for flight in flights.flights where flight.isActive { flight.checkDeadlines(at: now) }
    }

    // MARK: Verdicts

    /// Gives each message of a batch its verdict, and its share of the tokens: by the bytes of its
    /// text, rounded so that the shares add up to what the model server counted. `energy`: what the
    /// batch has cost, if somebody asked and it is known.
    func deliver(
        _ answer: BatchAnswer, _ body: UnsafeRawBufferPointer, of flight: BatchFlight,
        energy: BatchEnergy? = nil
    ) {
        // A model server may say anything; sums of this many never overflow.
        let total = min(answer.usage.inputTokens ?? 0, Self.mostTokens)
        let allBytes = max(1, flight.items.reduce(0) { $0 + $1.bytes + 1 })
        let leads = flight.leads
        flight.leads = []
        var bytes = 0
        for (place, item) in flight.items.enumerated() {
            let before = total.multipliedFullWidth(by: bytes)
            bytes += item.bytes + 1
            let after = total.multipliedFullWidth(by: bytes)
            let share = allBytes.dividingFullWidth(after).quotient
                - allBytes.dividingFullWidth(before).quotient
            let key = leads[place]
            let first = open(item.token)
            guard first != nil || key != nil else { continue }
            compose(answer.entries[place], body, flight.line)
            if let key, let tenant = companies[key]?.tenant { keep(key, tenant, flight.line) }
            if let (exchange, index) = first {
                exchange.messages.inputTokens += share
                exchange.messages.charge(index, energy?.share(place))
                if key == nil, exchange.messages.keys.indices.contains(index),
                    let own = exchange.messages.keys[index]
                {
                    keep(own, exchange.tenant, flight.line)
                }
                tally.add(.accelerator)
                decide(exchange, index, flight.line.acceleratorSignature)
            }
            dissolve(key) { exchange, index in
                waiting(flight.model).leave(1)
                tally.add(.shared)
                exchange.messages.charge(index, .nothing)
                decide(exchange, index, flight.line.sharedSignature)
            }
        }
    }

    private func keep(_ key: SipHash.Digest, _ tenant: TenantID, _ line: ClassifierLine) {
        cascades[line.model.index]?.keep(
            VerdictCache.Verdict(members: members), for: key, of: tenant, at: now)
    }

    /// Puts the members of one verdict together.
    private func compose(
        _ entry: BatchAnswer.Entry, _ body: UnsafeRawBufferPointer, _ line: ClassifierLine
    ) {
        let scanner = JSONScanner(body)
        let areNumbers = scanner.numbers(of: entry.probabilities, into: &numbers)
        let positive = line.settings.positiveLabel.flatMap { place in
            areNumbers && numbers.indices.contains(place) ? numbers[place] : nil
        }
        members.removeAll(keepingCapacity: true)
        members.append(contentsOf: "\"label\":".utf8)
        if let label = line.label(forPositive: positive) {
            members.append(contentsOf: line.quotedLabels[label])
        } else {
            members.append(contentsOf: body[entry.label])
        }
        members.append(contentsOf: ",\"probs\":".utf8)
        members.append(contentsOf: body[entry.probabilities])
        members.append(contentsOf: ",\"num_classes\":".utf8)
        VerdictText.append(number: numbers.count, to: &members)
    }

    private func decide(_ exchange: Exchange, _ index: Int, _ signature: [UInt8]) {
        exchange.messages.decide(index) { bytes in
            bytes.append(contentsOf: members)
            bytes.append(contentsOf: signature)
        }
        if exchange.messages.openCount == 0 { answer(exchange) }
    }

    private static let mostTokens = 1 << 40

    /// The model server refuses this one message. Those that are taken for the same may differ in
    /// what it minds: they go by themselves, if they differ at all.
    func refuse(_ flight: BatchFlight, status: Int, body: [UInt8]) {
        func refuse(_ exchange: Exchange, _ index: Int) {
            exchange.messages.refusal = body
            exchange.messages.fail(index, .refused(status: status))
            if exchange.messages.openCount == 0 { answer(exchange) }
        }
        for item in flight.items {
            if let (exchange, index) = open(item.token) { refuse(exchange, index) }
        }
        disband(flight) { refuse($0, $1) }
    }

    /// No model server has a verdict for these messages, nor for those that waited for theirs;
    /// unless it is the fault of one alone.
    func giveUp(_ flight: BatchFlight, _ reason: APIError, isOwnFault: Bool = false) {
        for item in flight.items {
            if let (exchange, index) = open(item.token) { fail(exchange, index, reason) }
        }
        if !isOwnFault {
            for (place, key) in flight.leads.enumerated() {
                dissolve(key, unlessLedByOtherThan: flight.items[place].token) {
                    waiting(flight.model).leave(1)
                    fail($0, $1, reason)
                }
            }
        }
        disband(flight) { self.fail($0, $1, reason) }
    }

    private func fail(_ exchange: Exchange, _ index: Int, _ reason: APIError) {
        exchange.messages.reason = reason
        exchange.messages.fail(index, .undecided)
        if exchange.messages.openCount == 0 { answer(exchange) }
    }
}
