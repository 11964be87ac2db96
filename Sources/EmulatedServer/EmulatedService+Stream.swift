import EmulatedEngine
import InferenceTypes

/// Server-sent events of a generation.
extension EmulatedService {
    mutating func sendStreamHead(_ exchange: Exchange, into output: inout ServiceOutput) {
        guard !exchange.isHeadSent else { return }
        exchange.isHeadSent = true
        var framing = ServiceAction.Framing.chunked
        for fault in exchange.faults {
            if case .cutClose = fault { framing = .close }
            if case .garbageChunk = fault { framing = .handMadeChunks }
        }
        output.actions.append(
            .respond(
                id: exchange.id, status: 200, contentType: dialect.eventStream,
                framing: framing, announcesClose: false))
        exchange.chunkHead = chunkHead(of: exchange)
    }

    private func chunkHead(of exchange: Exchange) -> [UInt8] {
        var text = JSONText()
        text.append("data: {\"id\":")
        text.append(quoted: exchange.responseID)
        text.append(
            exchange.surface == .chat
                ? ",\"object\":\"chat.completion.chunk\",\"created\":"
                : ",\"object\":\"text_completion\",\"created\":")
        text.append(number: exchange.created)
        text.append(",\"model\":")
        text.append(quoted: exchange.model)
        if dialect.isLlama { text.append(",\"system_fingerprint\":\"b11434-emulated\"") }
        text.append(",\"choices\":[")
        return text.bytes
    }

    // MARK: Tokens

    mutating func streamTokens(
        _ exchange: Exchange, _ part: Int, count: Int, at now: MonotonicTime,
        into output: inout ServiceOutput
    ) {
        guard !exchange.isMuted else { return }
        exchange.parts[part].held += count
        guard exchange.parts[part].held >= exchange.tokensPerEvent else { return }
        sendHeld(exchange, part, at: now, into: &output)
    }

    /// One event with the tokens held back so far. False if a fault has ended the stream.
    @discardableResult
    private mutating func sendHeld(
        _ exchange: Exchange, _ part: Int, at now: MonotonicTime,
        into output: inout ServiceOutput
    ) -> Bool {
        sendStreamHead(exchange, into: &output)
        sendRoles(exchange, into: &output)
        guard exchange.parts[part].held > 0 else { return true }
        let event = contentEvent(exchange, part)
        if let fault = exchange.dueFault {
            strike(exchange, fault, before: event, at: now, into: &output)
            return false
        }
        exchange.parts[part].held = 0
        exchange.events += 1
        if exchange.faults.contains(.commentPings) {
            output.send(exchange.id, Array(": ping\n\n".utf8))
        }
        output.send(exchange.id, event)
        return true
    }

    private mutating func sendRoles(_ exchange: Exchange, into output: inout ServiceOutput) {
        guard exchange.surface == .chat, !exchange.isRoleSent else { return }
        exchange.isRoleSent = true
        for index in exchange.parts.indices {
            var text = JSONText(bytes: exchange.chunkHead)
            text.append("{\"index\":")
            text.append(number: index)
            text.append(
                dialect.isLlama
                    ? ",\"delta\":{\"role\":\"assistant\",\"content\":null}"
                    : ",\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null")
            text.append(",\"finish_reason\":null}]}\n\n")
            output.send(exchange.id, text.bytes)
        }
    }

    private func contentEvent(_ exchange: Exchange, _ part: Int) -> [UInt8] {
        let state = exchange.parts[part]
        var text = JSONText(bytes: exchange.chunkHead)
        text.append("{\"index\":")
        text.append(number: part)
        text.append(exchange.surface == .chat ? ",\"delta\":{\"content\":\"" : ",\"text\":\"")
        appendText(state, from: state.produced - state.held, to: &text)
        text.append(exchange.surface == .chat ? "\"}" : "\"")
        if !dialect.isLlama { text.append(",\"logprobs\":null") }
        text.append(",\"finish_reason\":null}]")
        if exchange.call.hasContinuousUsage, !exchange.hidesUsage {
            text.append(",")
            dialect.appendUsage(
                input: exchange.inputTokens, output: exchange.outputTokens,
                cached: cachedTokens(exchange), to: &text)
        }
        text.append("}\n\n")
        return text.bytes
    }

    /// The text of tokens `first ..< produced` of a part, escaped for JSON.
    func appendText(_ part: Exchange.Part, from first: Int, to text: inout JSONText) {
        for index in first..<max(first, part.produced) {
            if index == 0, part.position.offset > 0 {
                var token: [UInt8] = []
                EmulatedText.append(part.position.token, of: part.key, to: &token)
                text.appendEscaped(Array(token.dropFirst(part.position.offset)))
            } else {
                EmulatedText.appendEscaped(
                    part.position.token + index, of: part.key, to: &text.bytes)
            }
        }
    }

    // MARK: The end

    mutating func finishPart(
        _ exchange: Exchange, _ part: Int, at now: MonotonicTime,
        into output: inout ServiceOutput
    ) {
        record(exchange, part)
        guard exchange.call.streams, exchange.surface.generates else {
            if exchange.unfinished == 0 { finishUnary(exchange, at: now, into: &output) }
            return
        }
        guard !exchange.isMuted else { return }
        guard sendHeld(exchange, part, at: now, into: &output) else { return }
        let event = finishEvent(exchange, part)
        if let fault = exchange.dueFault {
            strike(exchange, fault, before: event, at: now, into: &output)
            return
        }
        output.send(exchange.id, event)
        guard exchange.unfinished == 0 else { return }
        if exchange.call.includesUsage, !exchange.hidesUsage {
            output.send(exchange.id, usageEvent(exchange))
        }
        if exchange.faults.contains(.noDone(events: -1)) {
            faultsStruck += 1
        } else {
            output.send(exchange.id, Self.done)
        }
        exchanges[exchange.id] = nil
        output.actions.append(.finish(id: exchange.id))
    }

    private static let done = Array("data: [DONE]\n\n".utf8)

    private func finishEvent(_ exchange: Exchange, _ part: Int) -> [UInt8] {
        let state = exchange.parts[part]
        var text = JSONText(bytes: exchange.chunkHead)
        text.append("{\"index\":")
        text.append(number: part)
        if exchange.surface == .chat {
            text.append(dialect.isLlama ? ",\"delta\":{}" : ",\"delta\":{\"content\":\"\"}")
        } else {
            text.append(",\"text\":\"\"")
        }
        if !dialect.isLlama { text.append(",\"logprobs\":null") }
        text.append(",\"finish_reason\":")
        text.append((state.finishReason ?? .stop).quoted)
        if !dialect.isLlama { text.append(",\"stop_reason\":null") }
        text.append("}]")
        if !exchange.call.includesUsage { dialect.appendTimings(state, to: &text) }
        text.append("}\n\n")
        return text.bytes
    }

    private func usageEvent(_ exchange: Exchange) -> [UInt8] {
        var text = JSONText(bytes: exchange.chunkHead)
        text.append("],")
        dialect.appendUsage(
            input: exchange.inputTokens, output: exchange.outputTokens,
                cached: cachedTokens(exchange), to: &text)
        if let part = exchange.parts.first { dialect.appendTimings(part, to: &text) }
        text.append("}\n\n")
        return text.bytes
    }

    private mutating func record(_ exchange: Exchange, _ part: Int) {
        let state = exchange.parts[part]
        if ledger.count >= Self.ledgerSize { ledger.removeFirst(Self.ledgerSize / 4) }
        ledger.append(
            LedgerEntry(
                responseID: exchange.responseID, inputTokens: state.inputTokens,
                outputTokens: state.produced, energy: state.energy))
    }

    // MARK: Faults

    /// A fault ends the stream before `event`.
    private mutating func strike(
        _ exchange: Exchange, _ fault: Fault, before event: [UInt8], at now: MonotonicTime,
        into output: inout ServiceOutput
    ) {
        faultsStruck += 1
        let id = exchange.id
        switch fault {
        case .stall:
            exchange.isMuted = true
            return
        case .errorVLLM:
            output.send(id, errorEvent(Dialect(kind: .vllm)))
            output.send(id, Self.done)
            output.actions.append(.finish(id: id))
        case .errorLlama:
            output.send(id, errorEvent(Dialect(kind: .llamaServer)))
            output.actions.append(.finish(id: id))
        case .noDone:
            output.actions.append(.finish(id: id))
        case .partialEvent:
            output.send(id, Array(event.prefix(event.count / 2)))
            output.abort(id)
        case .garbageChunk:
            output.sendRaw(id, Array("zz-not-a-chunk-size\r\n\u{1}\u{2}\r\n".utf8))
            output.abort(id)
        default:
            output.abort(id)
        }
        drop(exchange, at: now)
    }

    private func errorEvent(_ dialect: Dialect) -> [UInt8] {
        var text = JSONText()
        text.append("data: ")
        text.append(dialect.error(status: 500, message: "Emulated fault"))
        text.append("\n\n")
        return text.bytes
    }
}
