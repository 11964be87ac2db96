import InferenceAPI
import InferenceTypes

/// What must hold of the texts that a classification's body has: together they make a batch that
/// any model server can read, and each is there as it was.
func checkClassification(_ body: UnsafeRawBufferPointer, _ limits: Limits) throws {
    // Nothing that a model server says may trip the gateway, whatever it is.
    let answer = BatchAnswer.parse(body, count: 2, depth: limits.jsonDepth)
    try require(answer.map { $0.entries.count == 2 } ?? true, "verdicts of \(shown(body))")
    guard
        let request = try? ParsedRequest.parse(
            task: .classify, body: body, limits: limits, defaultModel: "d")
    else { return }
    _ = try? DecisionQuestions(
        at: request.classification.questions, of: body,
        labels: [Array("\"ham\"".utf8), Array("\"spam\"".utf8)], positive: 1)
    for mayList in [true, false] {
        var texts = MessageTexts()
        guard texts.read(request.classification, body: body, mayList: mayList) else { continue }
        try require(texts.count > 0, "no text in \(shown(body))")
        var batch = Array("[".utf8)
        for index in 0..<texts.count {
            batch.append(contentsOf: (index == 0 ? "\"" : ",\"").utf8)
            texts.withText(index, of: body) { batch.append(contentsOf: $0) }
            batch.append(UInt8(ascii: "\""))
        }
        batch.append(UInt8(ascii: "]"))
        try batch.withUnsafeBytes { batch in
            try require(
                JSONScanner.isValid(batch, depth: 2), "the batch \(shown(batch)) of \(shown(body))")
            var count = 0
            JSONScanner(batch).forEachElement(of: 0..<batch.count) { _ in
                count += 1
                return true
            }
            try require(count == texts.count, "\(count) texts in \(shown(batch))")
        }
    }
}
