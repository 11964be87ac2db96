import InferenceAPI
import InferenceTypes

extension APIError {
    /// The time that the request or its model's configuration gave is up.
    static let verdictTimeout = APIError(
        status: 504, type: "timeout_error", code: "verdict_timeout", param: nil,
        message: "No verdict came in time.", shouldRetry: false)

    static let unreadableText = APIError(
        status: 400, type: "invalid_request_error", code: "invalid_text", param: "input",
        message: "The text is no Unicode: it has one half of a surrogate pair.")
}

/// Verdicts on their way to the client.
extension ClassifyDesk {
    /// Every message has its outcome: answers the request.
    func answer(_ exchange: Exchange) {
        guard exchange.phase == .classifying, exchange.stream != nil,
            let line = shell.directory.line(of: exchange.model)
        else { return }
        count(exchange)
        if exchange.messages.decidedCount == 0, let error = error(exchange, line) {
            exchange.refuse(error)
            return
        }
        var text: [UInt8] = []
        swap(&text, &shell.text)
        text.removeAll(keepingCapacity: true)
        switch exchange.messages.surface {
        case .classify: appendList(exchange, line, to: &text)
        case .decisions: appendDecision(exchange, line, to: &text)
        }
        swap(&text, &shell.text)
        exchange.classified()
    }

    private func count(_ exchange: Exchange) {
        for outcome in exchange.messages.outcomes {
            switch outcome {
            case .undecided: tally.add(.undecided)
            case .refused, .unreadable: tally.add(.refused)
            case .open, .decided: break
            }
        }
    }

    /// What a request without a single verdict gets instead of an answer, if anything.
    private func error(_ exchange: Exchange, _ line: ClassifierLine) -> APIError? {
        var status: Int?
        for outcome in exchange.messages.outcomes {
            switch outcome {
            case .refused(let code): status = code
            case .unreadable: break
            case .open, .undecided, .decided:
                // Fail open: the label says that there is none.
                return line.settings.whenUndecided == .error
                    ? exchange.messages.reason ?? .verdictTimeout : nil
            }
        }
        guard let status else { return .unreadableText }
        let said = exchange.messages.refusal.withUnsafeBytes { UpstreamMessage.read($0) }
        return APIError(
            status: status, type: "invalid_request_error", code: "refused_by_model_server",
            param: "input", message: said ?? "The model server refuses this message.")
    }

    private func appendList(
        _ exchange: Exchange, _ line: ClassifierLine, to text: inout [UInt8]
    ) {
        text.append(contentsOf: "{\"id\":\"classify-".utf8)
        RequestName.append(to: &text, id: exchange.id, instance: shell.gateway.instance)
        text.append(contentsOf: "\",\"object\":\"list\",\"created\":".utf8)
        VerdictText.append(number: shell.unixSeconds, to: &text)
        text.append(contentsOf: ",\"model\":".utf8)
        text.append(contentsOf: line.quotedName)
        text.append(contentsOf: ",\"data\":[".utf8)
        for (index, outcome) in exchange.messages.outcomes.enumerated() {
            text.append(contentsOf: (index == 0 ? "{\"index\":" : ",{\"index\":").utf8)
            VerdictText.append(number: index, to: &text)
            text.append(UInt8(ascii: ","))
            append(outcome, of: exchange, line, to: &text)
            appendShare(of: index, in: exchange, outcome, to: &text)
            text.append(UInt8(ascii: "}"))
        }
        text.append(contentsOf: "],\"usage\":{\"prompt_tokens\":".utf8)
        VerdictText.append(number: exchange.messages.inputTokens, to: &text)
        text.append(contentsOf: ",\"total_tokens\":".utf8)
        VerdictText.append(number: exchange.messages.inputTokens, to: &text)
        text.append(
            contentsOf: ",\"completion_tokens\":0,\"prompt_tokens_details\":null}".utf8)
        appendEnergy(of: exchange, to: &text)
        text.append(UInt8(ascii: "}"))
    }

    private func appendEnergy(of exchange: Exchange, to text: inout [UInt8]) {
        guard let energy = exchange.messages.energy else { return }
        text.append(contentsOf: ",\"energy\":".utf8)
        text.append(contentsOf: energy.json.utf8)
    }

    /// What one verdict has cost, if the client asked.
    private func appendShare(
        of index: Int, in exchange: Exchange, _ outcome: MessageSet.Outcome,
        to text: inout [UInt8]
    ) {
        guard case .decided = outcome, exchange.messages.shares.indices.contains(index),
            let share = exchange.messages.shares[index]
        else { return }
        text.append(contentsOf: ",\"joules\":\(share.total.joules.value)".utf8)
    }

    private func append(
        _ outcome: MessageSet.Outcome, of exchange: Exchange, _ line: ClassifierLine,
        to text: inout [UInt8]
    ) {
        switch outcome {
        case .decided(let range): text.append(contentsOf: exchange.messages.fragments[range])
        case .open, .undecided:
            appendNoVerdict(exchange.messages.reason?.code ?? "none", line, to: &text)
        case .unreadable:
            appendNoVerdict(APIError.unreadableText.code ?? "none", line, to: &text)
            text.append(contentsOf: ",\"status\":400".utf8)
        case .refused(let status):
            appendNoVerdict("refused_by_model_server", line, to: &text)
            text.append(contentsOf: ",\"status\":".utf8)
            VerdictText.append(number: status, to: &text)
        }
    }

    private func appendNoVerdict(
        _ reason: String, _ line: ClassifierLine, to text: inout [UInt8]
    ) {
        text.append(contentsOf: "\"label\":\"undecided\",\"probs\":[],\"num_classes\":".utf8)
        VerdictText.append(number: line.quotedLabels.count, to: &text)
        text.append(contentsOf: line.undecidedSignature)
        text.append(contentsOf: ",\"reason\":\"".utf8)
        text.append(contentsOf: reason.utf8)
        text.append(UInt8(ascii: "\""))
    }

    private func appendDecision(
        _ exchange: Exchange, _ line: ClassifierLine, to text: inout [UInt8]
    ) {
        var probabilities: [Double] = []
        if case .decided(let range)? = exchange.messages.outcomes.first {
            let verdict =
                Array("{".utf8) + exchange.messages.fragments[range] + Array("}".utf8)
            verdict.withUnsafeBytes { verdict in
                let scanner = JSONScanner(verdict)
                guard let list = scanner.member("probs", of: 0..<verdict.count) else { return }
                if !scanner.numbers(of: list, into: &probabilities) { probabilities = [] }
            }
        }
        text.append(contentsOf: "{\"model\":".utf8)
        text.append(contentsOf: line.quotedName)
        text.append(contentsOf: ",\"answers\":".utf8)
        exchange.messages.questions.appendAnswers(probabilities, to: &text)
        text.append(contentsOf: ",\"usage\":{\"input_tokens\":".utf8)
        VerdictText.append(number: exchange.messages.inputTokens, to: &text)
        text.append(
            contentsOf: """
                ,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},\
                "output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":
                """.utf8)
        VerdictText.append(number: exchange.messages.inputTokens, to: &text)
        text.append(UInt8(ascii: "}"))
        appendEnergy(of: exchange, to: &text)
        text.append(UInt8(ascii: "}"))
    }
}

/// What a model server's error answer says.
enum UpstreamMessage {
    /// The message, cut to what a person would read; `nil` if there is none.
    static func read(_ body: UnsafeRawBufferPointer) -> String? {
        let scanner = JSONScanner(body)
        guard let root = try? scanner.validate(depth: JSONScanner.greatestDepth),
            scanner.kind(at: root.lowerBound) == .object,
            let error = scanner.member("error", of: root),
            scanner.kind(at: error.lowerBound) == .object,
            let message = scanner.member("message", of: error),
            scanner.kind(at: message.lowerBound) == .string
        else { return nil }
        let text = JSONText.unescaped(
            UnsafeRawBufferPointer(rebasing: body[message.dropFirst().dropLast()]))
        return String(text.prefix(500))
    }
}
