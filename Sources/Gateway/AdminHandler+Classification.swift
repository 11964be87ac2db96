import Classification
import Foundation
import InferenceTypes
import Scheduling
import Transport

/// `/classification`: what batching and cascade do, and the hands on them.
extension AdminHandler {
    /// `path` behind `/classification/`: MODEL/cache, MODEL/allow or MODEL/scorer.
    func classification(_ stream: ServerStream, _ method: String, _ path: String) {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count == 2, let model = gateway.directory.model(named: parts[0]),
            let line = gateway.directory.line(of: model)
        else { return answer(stream, 404, ["error": "there is no classifier \(path) here"]) }
        switch (method, parts[1]) {
        case ("DELETE", "cache"): change(stream, line) { $0.purges += 1 }
        case ("POST", "allow"): allow(stream, line)
        case ("DELETE", "allow"): change(stream, line) { $0.allowed = [] }
        case ("POST", "scorer"): scorer(stream, line)
        default:
            answer(
                stream, 405,
                ["error": "DELETE cache, POST or DELETE allow, POST scorer is what there is"])
        }
    }

    private func change(
        _ stream: ServerStream, _ line: ClassifierLine, _ body: (inout CascadeRules) -> Void
    ) {
        gateway.classification.change(line.model, named: line.name, body)
        for reactor in gateway.group.reactors {
            reactor.post { ($0.context as? ReactorShell)?.desk.updateRules() }
        }
        answer(stream, 200, account(of: line))
    }

    private static let mostAllowed = 100_000

    /// Texts are turned into digests here and forgotten.
    private func allow(_ stream: ServerStream, _ line: ClassifierLine) {
        // An allowed text gets the other label: without these nobody knows which one that is.
        guard line.settings.positiveLabel != nil, line.settings.labels.count > 1 else {
            return answer(
                stream, 409,
                ["error": "an allow-list needs 'labels' and 'positive_label' of this model"])
        }
        guard let texts = body(stream)["texts"] as? [String], !texts.isEmpty else {
            return answer(stream, 400, ["error": "'texts' is a list of texts"])
        }
        var identity = MessageIdentity()
        var digests: [SipHash.Digest] = []
        for text in texts {
            guard Array(text.utf8).withUnsafeBytes({ identity.read($0) }) else {
                return answer(stream, 400, ["error": "a text is too long to be looked up"])
            }
            digests.append(CascadeRules().digest(of: identity.bytes, gateway.classification.salt))
        }
        let present = gateway.classification.rules(of: line.model).allowed.count
        guard present + digests.count <= Self.mostAllowed else {
            return answer(stream, 400, ["error": "at most \(Self.mostAllowed) texts"])
        }
        change(stream, line) { $0.allowed.formUnion(digests) }
    }

    private func scorer(_ stream: ServerStream, _ line: ClassifierLine) {
        let body = body(stream)
        let rules = gateway.classification.rules(of: line.model)
        switch body["action"] as? String {
        case "shadow":
            guard line.settings.linear != nil else {
                return answer(stream, 409, ["error": "this model has no linear scorer"])
            }
            do {
                let scorer = try ControlWeights.load(body["weights"] as? String ?? "")
                change(stream, line) { $0.candidate = scorer }
            } catch { answer(stream, 400, ["error": "\(error)"]) }
        case "switch":
            guard let candidate = rules.candidate else {
                return answer(stream, 409, ["error": "there is no candidate"])
            }
            change(stream, line) { rules in
                rules.previous = rules.scorer
                rules.scorer = candidate
                rules.candidate = nil
            }
        case "rollback":
            guard let previous = rules.previous else {
                return answer(stream, 409, ["error": "there is nothing to return to"])
            }
            change(stream, line) { rules in
                rules.candidate = rules.scorer
                rules.scorer = previous
                rules.previous = nil
            }
        case "drop": change(stream, line) { $0.candidate = nil }
        default:
            answer(stream, 400, ["error": "'action' is one of shadow, switch, rollback, drop"])
        }
    }

    // MARK: What there is

    func classificationPage() -> [String: Any] {
        let board = gateway.classification
        let batches = board.sum(.batches)
        var causes: [String: Int] = [:]
        for cause in Batch.Cause.allCases {
            causes[cause.rawValue] = board.sum(cause)
        }
        return [
            "messages": board.sum(.messages), "batches": batches,
            "batched_messages": board.sum(.batched),
            "mean_batch": batches == 0 ? 0 : Double(board.sum(.batched)) / Double(batches),
            "closed_by": causes, "splits": board.sum(.splits),
            "undecided": board.sum(.undecided), "refused": board.sum(.refused),
            "allowed": board.sum(.allowed), "cache_hits": board.sum(.cacheHits),
            "cache_misses": board.sum(.cacheMisses), "shared": board.sum(.shared),
            "scored": board.sum(.scored),
            "shadow": ["agrees": board.sum(.shadowAgrees), "differs": board.sum(.shadowDiffers)],
            "models": gateway.directory.lines.compactMap { $0 }.map(account),
        ]
    }

    private func account(of line: ClassifierLine) -> [String: Any] {
        let rules = gateway.classification.rules(of: line.model)
        return [
            "name": line.name, "allowed_texts": rules.allowed.count,
            "cache_entries": line.settings.cache.entries,
            "scorer": rules.scorer?.version ?? NSNull(),
            "candidate": rules.candidate?.version ?? NSNull(),
            "previous": rules.previous?.version ?? NSNull(),
        ]
    }
}
