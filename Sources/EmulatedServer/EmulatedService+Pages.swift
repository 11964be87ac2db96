import EmulatedEngine
import InferenceTypes

/// What a GET gets.
extension EmulatedService {
    func answerPage(
        _ id: UInt64, path: String, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        let isReady = engine.isReady(at: now)
        switch path {
        case "/health", "/v1/health", "/ping":
            if !isReady {
                refuse(id, 503, "Loading model", into: &output)
            } else if dialect.isLlama {
                answer(id, Array("{\"status\":\"ok\"}".utf8), into: &output)
            } else {
                answer(id, contentType: "text/plain", [], into: &output)
            }
        case "/v1/models", "/models":
            answer(id, models, into: &output)
        case "/version":
            guard !dialect.isLlama else { break }
            answer(id, Array("{\"version\":\"\(dialect.version)\"}".utf8), into: &output)
            return
        case "/metrics":
            guard options.hasMetrics else { break }
            let page = EngineMetricsPage(
                engine: engine, dialect: dialect, model: options.model)
            answer(
                id, contentType: "text/plain; version=0.0.4; charset=utf-8", page.text,
                into: &output)
            return
        case "/load":
            guard !dialect.isLlama else { break }
            let load = engine.running + engine.waiting
            answer(id, Array("{\"server_load\":\(load)}".utf8), into: &output)
            return
        case "/props":
            guard dialect.isLlama else { break }
            let text = "{\"total_slots\":\(engine.maxSequences),\"is_sleeping\":false}"
            answer(id, Array(text.utf8), into: &output)
            return
        case "/emulated/state":
            answer(id, state(at: now), into: &output)
            return
        case "/emulated/requests":
            answer(id, finishedRequests, into: &output)
            return
        default: break
        }
        guard output.actions.last != .finish(id: id) else { return }
        answer(id, status: 404, dialect.notFound, into: &output)
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
