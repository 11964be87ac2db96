import InferenceTypes
import Scheduling

/// Batches on their way: sent, divided, ended.
extension ClassifyDesk {
    func sendClosed() {
        for batch in closed {
            tally.closed(batch)
            send(batch)
        }
        closed.removeAll(keepingCapacity: true)
    }

    private func send(_ batch: Batch) {
        guard let line = shell.directory.line(of: batch.model) else { return }
        let flight = flights.claim(shell, line)
        flight.group = batch.group
        flight.items.reserveCapacity(batch.items.count)
        for item in batch.items {
            let token = MessageToken(rawValue: item.token)
            guard let exchange = shell.table.find(token), exchange.messages.isOpen(token.index),
                let stream = exchange.stream
            else { continue }
            flight.items.append(item)
            flight.leads.append(sent(exchange, token.index))
            if exchange.wantsEnergy { flight.wantsEnergy = true }
            if !flight.texts.isEmpty { flight.texts.append(UInt8(ascii: ",")) }
            flight.texts.append(UInt8(ascii: "\""))
            stream.body.withUnsafeBytes { body in
                exchange.messages.texts.withText(token.index, of: body) {
                    flight.texts.append(contentsOf: $0)
                }
            }
            flight.texts.append(UInt8(ascii: "\""))
            flight.ends.append(flight.texts.count)
        }
        waiting(batch.model).leave(batch.items.count - flight.items.count)
        if flight.items.isEmpty {
            flightEnded(flight, batch.model, batch.group, after: nil, replacements: 0)
        } else {
            flight.start(at: now)
        }
    }

    /// Sends the two halves of a batch on their own, without the messages that nobody waits for
    /// any more; how many parts there are. Where order counts, the second half waits for the end
    /// of the first, and of all that becomes of it.
    func split(_ flight: BatchFlight, family: BatchFamily? = nil) -> Int {
        tally.add(.splits)
        let middle = flight.items.count / 2
        let parts = [0..<middle, middle..<flight.items.count]
            .compactMap { part(of: flight, $0.filter { isWanted(flight, $0) }) }
        for part in parts { part.family = family }
        // The parts have what somebody waits for; companies of the others are empty.
        for index in flight.items.indices where !isWanted(flight, index) {
            let token = flight.items[index].token
            dissolve(flight.leads[index], unlessLedByOtherThan: token) { _, _ in }
        }
        flight.leads.removeAll(keepingCapacity: true)
        family?.sent(parts.count)
        if flight.line.rule.preservesOrder, let first = parts.first {
            first.successors = parts.dropFirst() + flight.successors
            flight.successors = []
            first.start(at: now)
        } else {
            for part in parts { part.start(at: now) }
        }
        return parts.count
    }

    /// A flight with some messages of another; `nil` for none.
    private func part(of flight: BatchFlight, _ places: [Int]) -> BatchFlight? {
        guard !places.isEmpty else { return nil }
        let part = flights.claim(shell, flight.line)
        part.group = flight.group
        part.wantsEnergy = flight.wantsEnergy
        part.items.reserveCapacity(places.count)
        for index in places {
            if !part.items.isEmpty { part.texts.append(UInt8(ascii: ",")) }
            part.items.append(flight.items[index])
            part.leads.append(flight.leads[index])
            part.texts.append(contentsOf: flight.text(index))
            part.ends.append(part.texts.count)
        }
        part.waits()
        return part
    }

    /// True if some request still waits for the verdict of this message.
    private func isWanted(_ flight: BatchFlight, _ index: Int) -> Bool {
        if open(flight.items[index].token) != nil { return true }
        guard let key = flight.leads[index], let company = companies[key] else { return false }
        return company.leader == flight.items[index].token && company.open > 0
    }

    /// True if some request still waits for one of its verdicts.
    func isAwaited(_ flight: BatchFlight) -> Bool {
        flight.items.indices.contains { isWanted(flight, $0) }
    }

    func flightEnded(
        _ flight: BatchFlight, _ model: ModelID, _ group: Int, after span: TimeSpan?,
        replacements: Int
    ) {
        batcher.ended(model, group: group, after: span, replacements: replacements)
        flights.release(flight)
        hasNews = true
    }
}
