import EmulatedEngine
import InferenceTypes

/// What a GET gets.
extension EmulatedService {
    func answerPage(
        _ id: UInt64, path: String, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let text = "text/plain; version=0.0.4; charset=utf-8"
        switch path {
        case "/health", "/v1/health", "/ping":
            if !engine.isReady(at: now) {
                refuse(id, 503, "Loading model", into: &output)
            } else if dialect.isLlama {
                answer(id, Array("{\"status\":\"ok\"}".utf8), into: &output)
            } else {
                answer(id, contentType: "text/plain", [], into: &output)
            }
        case "/metrics" where options.hasMetrics:
            let page = EngineMetricsPage(
                engine: engine, dialect: dialect, model: options.model,
                hasPrefixCache: options.hasPrefixCache)
            answer(id, contentType: text, page.text, into: &output)
        default:
            if let page = document(path, at: now) {
                answer(id, page, into: &output)
            } else {
                answer(id, status: 404, dialect.notFound, into: &output)
            }
        }
    }

    /// vLLM's development endpoints: they answer nothing but a status. An engine with work will
    /// not sleep (vLLM would abort the work). Waking goes on after the answer.
    mutating func switchPower(
        _ id: UInt64, path: String, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let isDone =
            path == "/sleep"
            ? engine.powerState == .asleep || engine.sleep(at: now)
            : engine.powerState != .asleep || engine.wake(at: now)
        answer(id, status: isDone ? 200 : 409, contentType: "text/plain", [], into: &output)
    }

    /// The JSON pages.
    private func document(_ path: String, at now: MonotonicTime) -> [UInt8]? {
        switch path {
        case "/v1/models": return models
        case "/models" where dialect.isLlama: return models
        case "/version" where !dialect.isLlama:
            return Array("{\"version\":\"\(dialect.version)\"}".utf8)
        case "/load" where !dialect.isLlama:
            return Array("{\"server_load\":\(engine.running + engine.waiting)}".utf8)
        case "/props" where dialect.isLlama:
            let slots = engine.maxSequences
            return Array("{\"total_slots\":\(slots),\"is_sleeping\":false}".utf8)
        case "/is_sleeping" where dialect.kind == .vllm:
            let isSleeping = engine.powerState != .awake
            return Array("{\"is_sleeping\":\(isSleeping)}".utf8)
        case "/emulated/state": return state(at: now)
        case "/emulated/requests": return finishedRequests
        default: return nil
        }
    }

    private var models: [UInt8] {
        var text = JSONText()
        text.append("{\"object\":\"list\",\"data\":[{\"id\":")
        text.append(quoted: options.model)
        text.append(",\"object\":\"model\",\"created\":")
        text.append(number: options.epoch)
        if dialect.isLlama {
            text.append(",\"owned_by\":\"llamacpp\",\"meta\":{\"n_ctx_train\":")
            text.append(number: engine.contextLimit)
            text.append("}}]}")
        } else {
            text.append(",\"owned_by\":\"vllm\",\"root\":")
            text.append(quoted: options.model)
            text.append(",\"parent\":null,\"max_model_len\":")
            text.append(number: engine.contextLimit)
            text.append(",\"permission\":[]}]}")
        }
        return text.bytes
    }

    /// The truth behind the surface, for tests: what runs, what was given up, true joules.
    private func state(at now: MonotonicTime) -> [UInt8] {
        let counters = engine.counters
        let energy = engine.energyByState(upTo: now)
        var text = JSONText()
        text.append("{")
        let whole: [(StaticString, Int)] = [
            ("\"running\":", engine.running), (",\"waiting\":", engine.waiting),
            (",\"open\":", openExchanges), (",\"abandoned\":", abandoned),
            (",\"cancelled\":", counters.cancelled), (",\"rejected\":", counters.rejected),
            (",\"finished\":", counters.finishedByStop + counters.finishedByLength),
            (",\"preemptions\":", counters.preemptions),
            (",\"prompt_tokens\":", counters.promptTokens),
            (",\"generation_tokens\":", counters.generationTokens),
            (",\"iterations\":", counters.iterations), (",\"faults\":", faultsStruck),
        ]
        for (name, value) in whole {
            text.append(name)
            text.append(number: value)
        }
        let real: [(StaticString, Double)] = [
            (",\"time_seconds\":", now.seconds), (",\"power_watts\":", engine.power(at: now).value),
            (",\"joules\":{\"total\":", energy.total.value),
            (",\"idle\":", energy.idle.value), (",\"prefill\":", energy.prefill.value),
            (",\"decode\":", energy.decode.value),
            (",\"sleep\":", energy.sleep.value), (",\"wake\":", energy.wake.value),
            (",\"unattributed\":", engine.unattributedEnergy.value),
        ]
        for (name, value) in real {
            text.append(name)
            text.append(number: value)
        }
        text.append("}}")
        return text.bytes
    }

    /// The newest finished requests with their true joules, oldest first.
    private var finishedRequests: [UInt8] {
        var text = JSONText()
        text.append("{\"idle_watts\":")
        text.append(number: options.profile.idlePower.value * options.engine.powerFactor)
        text.append(",\"requests\":[")
        for (index, entry) in ledger.enumerated() {
            text.append(index == 0 ? "{\"id\":" : ",{\"id\":")
            text.append(quoted: entry.responseID)
            text.append(",\"input_tokens\":")
            text.append(number: entry.inputTokens)
            text.append(",\"output_tokens\":")
            text.append(number: entry.outputTokens)
            text.append(",\"prefill_joules\":")
            text.append(number: entry.energy.prefill.value)
            text.append(",\"decode_joules\":")
            text.append(number: entry.energy.decode.value)
            text.append(",\"busy_seconds\":")
            text.append(number: entry.energy.busySeconds)
            text.append("}")
        }
        text.append("]}")
        return text.bytes
    }
}
