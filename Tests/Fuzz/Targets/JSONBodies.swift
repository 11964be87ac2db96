import InferenceAPI
import InferenceTypes

extension FuzzTarget {
    /// Input: task and depth, then a request's body.
    static let jsonBodies = FuzzTarget("json", longestInput: 512) { input in
        guard let (head, body) = input.cut(1) else { return }
        let tasks: [InferenceTask] = [
            .chat, .completion, .embedding, .responses, .classify, .rerank, .score, .tokenize,
        ]
        let task = tasks[Int(head[0] & 7)]
        var limits = Limits()
        if head[0] & 8 != 0 { limits.jsonDepth = 3 }
        let reference = JSONReference(body, depth: limits.jsonDepth)
        try require(
            JSONScanner.isValid(body, depth: limits.jsonDepth) == (reference != nil),
            "valid or not: \(shown(body))")
        _ = UnaryUsage.parse(body, task: task)
        if task == .classify { try checkClassification(body, limits) }
        guard let reference else {
            let parsed = try? ParsedRequest.parse(task: task, body: body, limits: limits)
            return try require(parsed == nil, "a request of no JSON: \(shown(body))")
        }
        try checkWalk(body, reference)
        try checkRequest(task, body, limits, reference)
    }
}

/// A walk over members and elements meets every value once, and each is a value by itself.
private func checkWalk(
    _ body: UnsafeRawBufferPointer, _ reference: JSONReference
) throws {
    let scanner = JSONScanner(body)
    var values = 0
    var broken: Range<Int>?
    func walk(_ value: Range<Int>) {
        values += 1
        let bytes = UnsafeRawBufferPointer(rebasing: body[value])
        switch scanner.kind(at: value.lowerBound) {
        case .object:
            scanner.forEachMember(of: value) { key, inner in
                if key.lowerBound <= value.lowerBound || inner.upperBound >= value.upperBound {
                    broken = value
                }
                walk(inner)
                return broken == nil
            }
        case .array:
            scanner.forEachElement(of: value) { inner in
                if inner.upperBound >= value.upperBound { broken = value }
                walk(inner)
                return broken == nil
            }
        case .string, .number, .true, .false, .null:
            if !JSONScanner.isValid(bytes, depth: 1) { broken = value }
            if bytes.first == UInt8(ascii: "\""), !isSameText(bytes) { broken = value }
        }
    }
    if let root = try? scanner.validate(depth: JSONScanner.greatestDepth) { walk(root) }
    try require(broken == nil, "the value at \(broken ?? 0..<0) of \(shown(body))")
    try require(values == reference.values, "\(values) values of \(shown(body))")
}

/// A text, once its escapes are undone, written and read again.
private func isSameText(_ string: UnsafeRawBufferPointer) -> Bool {
    let inner = UnsafeRawBufferPointer(rebasing: string.dropFirst().dropLast())
    let text = JSONText.unescaped(inner)
    var written: [UInt8] = []
    JSONText.append(text, to: &written)
    return written.withUnsafeBytes { written in
        guard JSONScanner.isValid(written, depth: 1) else { return false }
        let again = UnsafeRawBufferPointer(rebasing: written.dropFirst().dropLast())
        return JSONText.unescaped(again).utf8.elementsEqual(text.utf8)
    }
}

// MARK: Requests

/// What was read of a request.
private struct Reading: Equatable {
    var model: [UInt8]
    var streams, clientWantsUsage, hasRemoteMedia, hasTools, hasResponseFormat, hasLogprobs: Bool
    var promptBytes, mediaParts, choices: Int
    var maxOutputTokens: Int?
    var restrictedFields: [String]

    init(_ request: ParsedRequest) {
        model = Array(request.model.utf8)
        streams = request.streams
        clientWantsUsage = request.clientWantsUsage
        hasRemoteMedia = request.hasRemoteMedia
        hasTools = request.hasTools
        hasResponseFormat = request.hasResponseFormat
        hasLogprobs = request.hasLogprobs
        // Definitions of tools count as they are written.
        promptBytes = request.hasTools ? 0 : request.promptBytes
        mediaParts = request.mediaParts
        choices = request.choices
        maxOutputTokens = request.maxOutputTokens
        restrictedFields = request.restrictedFields
    }
}

private enum Outcome: Equatable {
    case request(Reading)
    case refusal(status: Int, param: String?)

    init(_ task: InferenceTask, _ body: UnsafeRawBufferPointer, _ limits: Limits) {
        do {
            self = .request(
                Reading(
                    try ParsedRequest.parse(
                        task: task, body: body, limits: limits, defaultModel: "d")))
        } catch {
            self = .refusal(status: error.status, param: error.param)
        }
    }
}

private func checkRequest(
    _ task: InferenceTask, _ body: UnsafeRawBufferPointer, _ limits: Limits,
    _ reference: JSONReference
) throws {
    let outcome = Outcome(task, body, limits)
    let other = reference.rewritten.withUnsafeBytes { Outcome(task, $0, limits) }
    try require(outcome == other, "\(outcome), with escapes and blanks \(other): \(shown(body))")
    guard case .request(let reading) = outcome,
        let request = try? ParsedRequest.parse(
            task: task, body: body, limits: limits, defaultModel: "d")
    else { return }
    try require((1...256).contains(reading.model.count), "a model of \(reading.model.count) bytes")
    try require(
        reading.choices >= 1 && reading.promptBytes >= 0 && reading.maxOutputTokens ?? 0 >= 0,
        "\(reading)")
    let splices = request.splices(body: body, upstreamModel: "up\"s\u{301}", injectUsage: true)
    var edited: [UInt8] = []
    splices.append(body: body, to: &edited)
    try require(edited.count == splices.length(bodyCount: body.count), "another length")
    try edited.withUnsafeBytes { edited in
        try checkEdited(edited, task, limits, reading)
        try require(
            unedited(edited) == unedited(body), "\(shown(body)) became \(shown(edited))")
    }
}

private func checkEdited(
    _ edited: UnsafeRawBufferPointer, _ task: InferenceTask, _ limits: Limits, _ reading: Reading
) throws {
    guard case .request(var again) = Outcome(task, edited, limits) else {
        throw Finding(description: "no request once edited: \(shown(edited))")
    }
    try require(again.model == Array("up\"s\u{301}".utf8), "another model: \(shown(edited))")
    let asksForUsage = reading.streams && (task == .chat || task == .completion)
    try require(
        again.clientWantsUsage == (reading.clientWantsUsage || asksForUsage),
        "usage asked for or not: \(shown(edited))")
    again.model = reading.model
    again.clientWantsUsage = reading.clientWantsUsage
    try require(again == reading, "\(reading) became \(again)")
}

/// The members that no edit may touch, as they are written and in their order.
private func unedited(_ body: UnsafeRawBufferPointer) -> [[UInt8]] {
    let scanner = JSONScanner(body)
    guard let root = try? scanner.validate(depth: JSONScanner.greatestDepth) else { return [] }
    var members: [[UInt8]] = []
    scanner.forEachMember(of: root) { key, value in
        let name = JSONText.unescaped(UnsafeRawBufferPointer(rebasing: body[key]))
        if name != "model", name != "stream_options" {
            members.append(Array(body[key]) + [0] + Array(body[value]))
        }
        return true
    }
    return members
}
