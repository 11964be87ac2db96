import EmulatedEngine
import InferenceTypes

/// Answers in one piece.
extension EmulatedService {
    mutating func finishUnary(
        _ exchange: Exchange, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let body: [UInt8] =
            switch exchange.surface {
            case .chat, .completion: generated(exchange)
            case .embedding: embedded(exchange)
            case .classify: classified(exchange)
            case .rerank: reranked(exchange)
            case .score: scored(exchange)
            }
        for fault in exchange.faults {
            switch fault {
            case .stall:
                // Stays open until the client gives up.
                faultsStruck += 1
                return
            case .errorVLLM, .errorLlama:
                faultsStruck += 1
                exchanges[exchange.id] = nil
                refuse(exchange.id, 500, "Emulated fault", into: &output)
                return
            case .unaryCut:
                cut(exchange, body, .length(body.count), into: &output)
                return
            case .cutClose:
                cut(exchange, body, .close, into: &output)
                return
            case .cutChunked, .partialEvent:
                cut(exchange, body, .chunked, into: &output)
                return
            case .garbageChunk:
                cut(exchange, body, .handMadeChunks, isGarbled: true, into: &output)
                return
            case .keepaliveClose(let milliseconds):
                guard exchange.ownsFaults else { continue }
                closeSilently(exchange, body, after: milliseconds, into: &output)
                return
            case .status, .slowHeader, .maxRequests, .commentPings, .multiToken,
                .missingUsage, .noDone, .closeBeforeHeaders:
                continue
            }
        }
        exchanges[exchange.id] = nil
        unaryAnswers += 1
        var closes = false
        for case .maxRequests(let limit) in exchange.faults {
            closes = unaryAnswers % limit == 0
        }
        if closes { faultsStruck += 1 }
        answer(exchange.id, body, closes: closes, into: &output)
    }

    private mutating func closeSilently(
        _ exchange: Exchange, _ body: [UInt8], after milliseconds: Int,
        into output: inout ServiceOutput
    ) {
        faultsStruck += 1
        let id = exchange.id
        exchanges[id] = nil
        output.actions.append(
            .respond(
                id: id, status: 200, contentType: "application/json",
                framing: .length(body.count), announcesClose: false))
        output.send(id, body)
        output.actions.append(.abort(id: id, after: .milliseconds(Int64(milliseconds))))
    }

    private mutating func cut(
        _ exchange: Exchange, _ body: [UInt8], _ framing: ServiceAction.Framing,
        isGarbled: Bool = false, into output: inout ServiceOutput
    ) {
        faultsStruck += 1
        let id = exchange.id
        exchanges[id] = nil
        output.actions.append(
            .respond(
                id: id, status: 200, contentType: "application/json", framing: framing,
                announcesClose: false))
        output.send(id, Array(body.prefix(body.count / 2)))
        if isGarbled { output.sendRaw(id, Array("zz-not-a-chunk-size\r\n".utf8)) }
        output.abort(id)
    }

    private func appendHead(
        _ exchange: Exchange, object: StaticString, to text: inout JSONText
    ) {
        text.append("{\"id\":")
        text.append(quoted: exchange.responseID)
        text.append(",\"object\":")
        text.append(object)
        text.append(",\"created\":")
        text.append(number: exchange.created)
        text.append(",\"model\":")
        text.append(quoted: exchange.model)
    }

    // MARK: Generation

    private func generated(_ exchange: Exchange) -> [UInt8] {
        var text = JSONText()
        let isChat = exchange.surface == .chat
        appendHead(
            exchange, object: isChat ? "\"chat.completion\"" : "\"text_completion\"", to: &text)
        if dialect.isLlama { text.append(",\"system_fingerprint\":\"b11434-emulated\"") }
        text.append(",\"choices\":[")
        for (index, part) in exchange.parts.enumerated() {
            text.append(index == 0 ? "{\"index\":" : ",{\"index\":")
            text.append(number: index)
            text.append(
                isChat
                    ? ",\"message\":{\"role\":\"assistant\",\"content\":\"" : ",\"text\":\"")
            appendText(part, from: 0, to: &text)
            text.append(isChat ? "\"}" : "\"")
            if !dialect.isLlama { text.append(",\"logprobs\":null") }
            text.append(",\"finish_reason\":")
            text.append((part.finishReason ?? .stop).quoted)
            if !dialect.isLlama { text.append(",\"stop_reason\":null") }
            text.append("}")
        }
        text.append("]")
        if !exchange.hidesUsage {
            text.append(",")
            dialect.appendUsage(
                input: exchange.inputTokens, output: exchange.outputTokens,
                cached: cachedTokens(exchange), to: &text)
        }
        if let part = exchange.parts.first { dialect.appendTimings(part, to: &text) }
        text.append("}")
        return text.bytes
    }

    // MARK: Pooling

    private func classified(_ exchange: Exchange) -> [UInt8] {
        var text = JSONText()
        appendHead(exchange, object: "\"list\"", to: &text)
        text.append(",\"data\":[")
        for (index, input) in exchange.call.inputs.enumerated() {
            let spam = SpamRule.probability(of: input.text)
            text.append(index == 0 ? "{\"index\":" : ",{\"index\":")
            text.append(number: index)
            text.append(spam >= 0.5 ? ",\"label\":\"spam\"" : ",\"label\":\"ham\"")
            text.append(",\"probs\":[")
            text.append(number: 1 - spam)
            text.append(",")
            text.append(number: spam)
            text.append("],\"num_classes\":2}")
        }
        return ended(exchange, text)
    }

    private func embedded(_ exchange: Exchange) -> [UInt8] {
        var text = JSONText()
        appendHead(exchange, object: "\"list\"", to: &text)
        text.append(",\"data\":[")
        for (index, input) in exchange.call.inputs.enumerated() {
            text.append(index == 0 ? "{\"index\":" : ",{\"index\":")
            text.append(number: index)
            text.append(",\"object\":\"embedding\",\"embedding\":[")
            for dimension in 0..<8 {
                if dimension > 0 { text.append(",") }
                let draw = EmulatedText.mix(input.key.value &+ UInt64(dimension))
                // Sixteen bits in -1 ..< 1: short in decimal, exact in binary.
                text.append(number: Double(Int(draw >> 48) - 32_768) / 32_768)
            }
            text.append("]}")
        }
        return ended(exchange, text)
    }

    private func scored(_ exchange: Exchange) -> [UInt8] {
        var text = JSONText()
        appendHead(exchange, object: "\"list\"", to: &text)
        text.append(",\"data\":[")
        for (index, input) in exchange.call.inputs.enumerated() {
            text.append(index == 0 ? "{\"index\":" : ",{\"index\":")
            text.append(number: index)
            text.append(",\"object\":\"score\",\"score\":")
            text.append(number: Relevance.score(query: exchange.call.query, input.text))
            text.append("}")
        }
        return ended(exchange, text)
    }

    private func reranked(_ exchange: Exchange) -> [UInt8] {
        let scores = exchange.call.inputs.enumerated().map { index, input in
            (index, Relevance.score(query: exchange.call.query, input.text))
        }
        let order = scores.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
        var text = JSONText()
        appendHead(exchange, object: "\"list\"", to: &text)
        text.append(",\"results\":[")
        for (rank, entry) in order.prefix(max(0, exchange.call.topN ?? order.count)).enumerated() {
            text.append(rank == 0 ? "{\"index\":" : ",{\"index\":")
            text.append(number: entry.0)
            text.append(",\"document\":{\"text\":\"")
            text.appendEscaped(exchange.call.inputs[entry.0].text)
            text.append("\"},\"relevance_score\":")
            text.append(number: entry.1)
            text.append("}")
        }
        return ended(exchange, text)
    }

    private func ended(_ exchange: Exchange, _ list: JSONText) -> [UInt8] {
        var text = list
        text.append("]")
        if !exchange.hidesUsage {
            text.append(",")
            dialect.appendUsage(
                input: exchange.inputTokens, output: 0, cached: cachedTokens(exchange), to: &text)
        }
        text.append("}")
        return text.bytes
    }

    func tokenized(_ call: InferenceCall) -> [UInt8] {
        let bytes = call.inputs.first?.text ?? []
        var text = JSONText()
        if dialect.isLlama {
            text.append("{\"tokens\":[")
        } else {
            text.append("{\"count\":")
            text.append(number: call.inputs.first?.tokens ?? 0)
            text.append(",\"max_model_len\":")
            text.append(number: engine.contextLimit)
            text.append(",\"tokens\":[")
        }
        for start in stride(from: 0, to: bytes.count, by: 4) {
            if start > 0 { text.append(",") }
            let key = EmulatedText.Key(bytes[start..<min(start + 4, bytes.count)])
            text.append(number: Int(key.value % 100_000))
        }
        text.append(dialect.isLlama ? "]}" : "],\"token_strs\":null}")
        return text.bytes
    }
}
