import EmulatedEngine
import InferenceTypes

/// From a request to work for the engine.
extension EmulatedService {
    mutating func start(
        _ request: ServiceRequest, path: String, _ call: InferenceCall, _ faults: [Fault],
        at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let id = request.id
        if strikesAtOnce(id, faults, into: &output) { return }
        guard engine.isReady(at: now) else {
            refuse(id, 503, "Loading model", into: &output)
            return
        }
        if path == "/tokenize" || path == "/v1/tokenize" {
            answer(id, tokenized(call), into: &output)
            return
        }
        guard let surface = surface(of: path) else {
            answer(id, status: 404, dialect.notFound, into: &output)
            return
        }
        if let model = call.model, model != options.model, !dialect.isLlama {
            refuse(id, 404, "The model `\(model)` does not exist.", into: &output)
            return
        }
        guard !call.inputs.isEmpty else {
            refuse(id, 400, "The request has no input", into: &output)
            return
        }
        submit(request, surface, call, faults, at: now, into: &output)
    }

    private func surface(of path: String) -> Exchange.Surface? {
        switch path {
        case "/v1/chat/completions": return .chat
        case "/v1/completions": return .completion
        case "/v1/embeddings": return .embedding
        case "/chat/completions", "/completions", "/embeddings":
            guard dialect.isLlama else { return nil }
            return path == "/embeddings" ? .embedding
                : path == "/completions" ? .completion : .chat
        case "/classify", "/v1/classify": return dialect.isLlama ? nil : .classify
        case "/rerank", "/v1/rerank": return .rerank
        case "/v2/rerank": return dialect.isLlama ? nil : .rerank
        case "/score", "/v1/score": return dialect.isLlama ? nil : .score
        default: return nil
        }
    }

    /// Faults that need no engine.
    private mutating func strikesAtOnce(
        _ id: UInt64, _ faults: [Fault], into output: inout ServiceOutput
    ) -> Bool {
        for fault in faults {
            switch fault {
            case .status(let status):
                faultsStruck += 1
                refuse(id, status, "Emulated fault", into: &output)
                return true
            case .closeBeforeHeaders:
                faultsStruck += 1
                output.abort(id)
                return true
            default: continue
            }
        }
        return false
    }

    private mutating func submit(
        _ request: ServiceRequest, _ surface: Exchange.Surface, _ call: InferenceCall,
        _ faults: [Fault], at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let exchange = Exchange(
            id: request.id, surface: surface, call: call,
            responseID: responseID(surface, asked: request.requestID),
            created: options.epoch + Int(now.seconds), model: call.model ?? options.model,
            faults: faults, ownsFaults: (call.fault ?? request.fault) != nil)
        exchange.firstEngineID = nextEngineID
        var requests: [EngineRequest] = []
        for input in call.inputs {
            for choice in 0..<(surface.generates ? call.choices : 1) {
                requests.append(add(input, choice, to: exchange, at: now))
            }
        }
        exchange.unfinished = requests.count
        exchanges[exchange.id] = exchange
        for engineRequest in requests {
            owners[engineRequest.id] = exchange
            engine.submit(engineRequest, at: now)
        }
        pump(to: now, into: &output)
        // vLLM sends its head at once; llama-server waits for the first result.
        if call.streams, surface.generates, !dialect.isLlama, exchanges[exchange.id] != nil {
            sendStreamHead(exchange, into: &output)
        }
    }

    private mutating func add(
        _ input: InferenceCall.Input, _ choice: Int, to exchange: Exchange,
        at now: MonotonicTime
    ) -> EngineRequest {
        let key = input.key.choice(choice)
        var request = EngineRequest(id: nextEngineID, inputTokens: input.tokens)
        nextEngineID += 1
        switch exchange.surface {
        case .chat, .completion:
            let all = exchange.call.naturalTokens ?? EmulatedText.naturalLength(of: key)
            request.outputTokens = max(1, all - input.position.token)
            // Whoever names the model's own length as well means it.
            let limit = exchange.call.maxTokens ?? .max
            if exchange.call.naturalTokens == nil || limit < request.outputTokens,
                limit < .max
            {
                request.outputTokens = limit
                request.finishReason = .length
            }
        case .embedding, .rerank, .score: request.task = .embed
        case .classify: request.task = .classify
        }
        if options.hasPrefixCache, exchange.surface.generates {
            request.prefix = Self.blocks(of: input.text)
        }
        exchange.parts.append(
            Exchange.Part(
                key: key, position: choice == 0 ? input.position : TextPosition(),
                inputTokens: input.tokens, submittedAt: now, startedAt: now, endedAt: now))
        return request
    }

    private mutating func responseID(_ surface: Exchange.Surface, asked: String?) -> String {
        let prefix =
            switch surface {
            case .chat: "chatcmpl-"
            case .completion: "cmpl-"
            case .embedding: "embd-"
            case .classify: "classify-"
            case .rerank: "rerank-"
            case .score: "score-"
            }
        if let asked, !asked.isEmpty, !dialect.isLlama { return prefix + asked }
        responses += 1
        let number = EmulatedText.mix(options.seed &* 0x1_0000_0001 &+ responses)
        let digits = String(number, radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
