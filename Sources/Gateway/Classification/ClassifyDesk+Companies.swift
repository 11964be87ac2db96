import Classification
import InferenceAPI
import InferenceTypes
import Scheduling

/// Messages of one tenant that are the same and wait at the same time: one of them goes to the
/// accelerator, and its verdict is the others' too.
///
/// The same is what the cache takes for the same, so there are companies where there is a cache, on
/// each reactor of its own, and none where order counts: followers would pass those between. Every
/// follower keeps its own deadline and counts among the messages that wait.
struct Company {
    let tenant: TenantID
    /// The one that goes, as the batcher knows it.
    var leader: UInt64
    /// By when the leader has to be answered: who is in a greater hurry does not follow it.
    var deadline: MonotonicTime
    /// When the leader left in a batch; `nil`: it still waits for company.
    var sentAt: MonotonicTime?
    /// How many of `followers` still want their verdict.
    var open = 0
    private(set) var followers: [UInt64] = []
    private var next = 0

    init(_ leader: UInt64, of tenant: TenantID, deadline: MonotonicTime) {
        self.leader = leader
        self.tenant = tenant
        self.deadline = deadline
    }

    mutating func add(_ token: UInt64) {
        followers.append(token)
        open += 1
    }

    /// The next one in the order in which they came.
    mutating func popFirst() -> UInt64? {
        guard next < followers.count else { return nil }
        next += 1
        return followers[next - 1]
    }

    /// Those that are left are all there is room for. How many were looked at: as long as
    /// `follows` holds for `open` of them only, n that leave cost some 2 n.
    mutating func sweep(_ follows: (UInt64) -> Bool) -> Int {
        guard followers.count > 2 * open + 64 else { return 0 }
        let looked = followers.count - next
        followers = followers[next...].filter(follows)
        next = 0
        return looked
    }
}

extension ClassifyDesk {
    /// Has a message wait for the verdict of one like it that is on its way. False if there is
    /// none, or it would come too late: the message is then to go itself.
    func follows(_ exchange: Exchange, _ index: Int, _ line: ClassifierLine) -> Bool {
        guard !line.rule.preservesOrder, exchange.messages.keys.indices.contains(index),
            let key = exchange.messages.keys[index]
        else { return false }
        let token = MessageToken(exchange, index: index).rawValue
        let deadline = exchange.messages.deadline
        guard let company = companies[key] else {
            companies[key] = Company(token, of: exchange.tenant, deadline: deadline)
            exchange.messages.roles[index] = .leads
            return false
        }
        if let sentAt = company.sentAt {
            // A batch that takes so much longer than others hangs: nobody else is to hang with it.
            let service = batcher.service(line.model)
            if now - sentAt > max(service + service + service + service, Self.patience) {
                lead(key, token, deadline: deadline)
                exchange.messages.roles[index] = .leads
                return false
            }
        } else if deadline < company.deadline {
            lead(key, token, deadline: deadline)
            exchange.messages.roles[index] = .leads
            return false
        }
        companies[key]?.add(token)
        exchange.messages.roles[index] = .follows
        return true
    }

    private static let patience = TimeSpan.milliseconds(50)

    /// Another one leads; who led before goes its way, and the first verdict is for all.
    private func lead(_ key: SipHash.Digest, _ token: UInt64, deadline: MonotonicTime) {
        companies[key]?.leader = token
        companies[key]?.deadline = deadline
        companies[key]?.sentAt = nil
    }

    /// A batch with the leader leaves. The key, if the company is still this one's.
    func sent(_ exchange: Exchange, _ index: Int) -> SipHash.Digest? {
        guard exchange.messages.roles[index] == .leads,
            let key = exchange.messages.keys[index]
        else { return nil }
        let token = MessageToken(exchange, index: index).rawValue
        if companies[key]?.leader == token { companies[key]?.sentAt = now }
        return key
    }

    /// A message leaves that nobody wants to know about any more; how many waited less for it.
    func leftCompany(_ exchange: Exchange, _ index: Int) -> Int {
        guard exchange.messages.roles.indices.contains(index),
            exchange.messages.keys.indices.contains(index),
            let key = exchange.messages.keys[index]
        else { return 0 }
        switch exchange.messages.roles[index] {
        case .alone: return 0
        case .follows:
            exchange.messages.roles[index] = .alone
            companies[key]?.open -= 1
            // A request that leaves has its messages open until all of them are through here: the
            // role alone says who has left.
            let swept = companies[key]?.sweep { token in
                guard let (exchange, index) = open(token) else { return false }
                return exchange.messages.roles[index] == .follows
            }
            tally.add(.swept, swept ?? 0)
            return 1
        case .leads:
            exchange.messages.roles[index] = .alone
            let token = MessageToken(exchange, index: index).rawValue
            if companies[key]?.leader == token, companies[key]?.sentAt == nil { promote(key) }
            return 0
        }
    }

    /// The leader has left before it was sent: the first that still waits goes in its place.
    private func promote(_ key: SipHash.Digest) {
        while let token = companies[key]?.popFirst() {
            guard let (exchange, index) = open(token), exchange.messages.roles[index] == .follows
            else { continue }
            companies[key]?.open -= 1
            lead(key, token, deadline: exchange.messages.deadline)
            exchange.messages.roles[index] = .leads
            add(exchange, index)
            return
        }
        companies[key] = nil
    }

    /// The exchange and place of a message that still wants its verdict.
    func open(_ rawValue: UInt64) -> (Exchange, Int)? {
        let token = MessageToken(rawValue: rawValue)
        guard let exchange = shell.table.find(token), exchange.messages.isOpen(token.index) else {
            return nil
        }
        return (exchange, token.index)
    }

    /// Ends a company and calls `body` for all that followed. Any verdict for its text ends it,
    /// anything else only if it is the leader's.
    func dissolve(
        _ key: SipHash.Digest?, unlessLedByOtherThan token: UInt64? = nil,
        _ body: (Exchange, Int) -> Void
    ) {
        guard let key, var company = companies[key],
            token == nil || token == company.leader
        else { return }
        companies[key] = nil
        while let token = company.popFirst() {
            guard let (exchange, index) = open(token), exchange.messages.roles[index] == .follows
            else { continue }
            exchange.messages.roles[index] = .alone
            body(exchange, index)
        }
    }

    /// Its leader failed for reasons of its own: each of the others goes by itself, unless it has
    /// the leader's very bytes. Nothing else would become of that one: `fate`.
    func disband(_ flight: BatchFlight, _ fate: ((Exchange, Int) -> Void)? = nil) {
        for (place, key) in flight.leads.enumerated() {
            dissolve(key, unlessLedByOtherThan: flight.items[place].token) { exchange, index in
                if let fate, isText(place, of: flight, sameAs: exchange, index) {
                    waiting(flight.model).leave(1)
                    fate(exchange, index)
                } else {
                    add(exchange, index)
                }
            }
        }
        flight.leads.removeAll(keepingCapacity: true)
    }

    private func isText(
        _ place: Int, of flight: BatchFlight, sameAs exchange: Exchange, _ index: Int
    ) -> Bool {
        guard let stream = exchange.stream else { return false }
        let text = flight.text(place)
        return stream.body.withUnsafeBytes { body in
            exchange.messages.texts.withText(index, of: body) { own in
                text.dropFirst().dropLast().elementsEqual(own)
            }
        }
    }
}
