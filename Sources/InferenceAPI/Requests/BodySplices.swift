import InferenceTypes

/// Edits to a body on its way upstream, as byte ranges: everything else is passed on as it came,
/// with its spelling of numbers, its order and its unknown fields.
public struct BodySplices: Sendable {
    private struct Splice {
        var range: Range<Int>
        var text: [UInt8]
    }

    /// In order, without overlaps.
    private var splices: [Splice] = []

    /// No edits.
    public init() {}

    /// True if the body goes upstream as it is.
    public var isEmpty: Bool { splices.isEmpty }

    /// The edited body's length.
    public func length(bodyCount: Int) -> Int {
        splices.reduce(bodyCount) { count, splice in
            count + splice.text.count - splice.range.clamped(to: 0..<max(0, bodyCount)).count
        }
    }

    /// Appends the edited body. `body` must be the one that was parsed.
    public func append(body: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + length(bodyCount: body.count))
        var offset = 0
        for splice in splices {
            let range = splice.range.clamped(to: 0..<body.count)
            bytes.append(contentsOf: body[min(offset, range.lowerBound)..<range.lowerBound])
            bytes.append(contentsOf: splice.text)
            offset = range.upperBound
        }
        bytes.append(contentsOf: body[offset...])
    }

    mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        let index = splices.firstIndex { $0.range.lowerBound > range.lowerBound }
        splices.insert(Splice(range: range, text: text), at: index ?? splices.count)
    }
}

/// What of a body has to be kept until it is known where the request goes, to say then what is to
/// be edited. It is moved, never copied.
public struct BodyEdits: ~Copyable, Sendable {
    let task: InferenceTask
    let model: String
    let streams: Bool
    let clientWantsUsage: Bool
    let layout: BodyLayout

    @inline(never)
    public init(_ parsed: borrowing ParsedRequest) {
        task = parsed.task
        model = parsed.model
        streams = parsed.streams
        clientWantsUsage = parsed.clientWantsUsage
        layout = parsed.layout
    }
}

extension ParsedRequest {
    /// See ``BodyEdits/splices(body:upstreamModel:injectUsage:)``.
    public func splices(
        body: UnsafeRawBufferPointer, upstreamModel: String?, injectUsage: Bool
    ) -> BodySplices {
        BodyEdits(self).splices(
            body: body, upstreamModel: upstreamModel, injectUsage: injectUsage)
    }
}

extension BodyEdits {
    /// The edits that make this body one for an endpoint. `upstreamModel` is the model's name
    /// there if it differs; `injectUsage` makes a stream end with the usage chunk.
    public func splices(
        body: UnsafeRawBufferPointer, upstreamModel: String?, injectUsage: Bool
    ) -> BodySplices {
        var splices = BodySplices()
        let name = upstreamModel ?? model
        let injectUsage = injectUsage && streams && !clientWantsUsage
            && (task == .chat || task == .completion)
        let hasModel = hasModel(name, in: body)
        // Most bodies go as they came.
        if hasModel, !injectUsage { return splices }
        var members: [[UInt8]] = []
        if !hasModel {
            var text: [UInt8] = []
            JSONText.append(name, to: &text)
            if let range = layout.model {
                splices.replace(range, with: text)
            } else {
                members.append(Array("\"model\":".utf8) + text)
            }
        }
        if injectUsage {
            if let options = layout.streamOptions {
                splices.injectUsage(into: options)
            } else {
                members.append(Array("\"stream_options\":{\"include_usage\":true}".utf8))
            }
        }
        if !members.isEmpty {
            var text = Array(members.joined(separator: [UInt8(ascii: ",")]))
            if !layout.isEmptyObject { text.append(UInt8(ascii: ",")) }
            splices.replace(layout.start..<layout.start, with: text)
        }
        return splices
    }

    /// True if the body's model needs no edit. Bytes are compared: `==` on strings would take
    /// canonically equivalent names as one, which model servers do not.
    private func hasModel(_ name: String, in body: UnsafeRawBufferPointer) -> Bool {
        guard let range = layout.model, range.upperBound <= body.count,
            body[range].first == UInt8(ascii: "\"")
        else { return false }
        let (name, model) = (name.utf8.span, model.utf8.span)
        guard name.count == model.count else { return false }
        for index in name.indices where name[index] != model[index] { return false }
        return true
    }
}

extension BodySplices {
    fileprivate mutating func injectUsage(into options: BodyLayout.StreamOptions) {
        if !options.isObject {
            replace(options.value, with: Array("{\"include_usage\":true}".utf8))
        } else if let value = options.includeUsage {
            replace(value, with: Array("true".utf8))
        } else {
            let start = options.value.lowerBound + 1
            let comma = options.isEmptyObject ? "" : ","
            replace(start..<start, with: Array("\"include_usage\":true\(comma)".utf8))
        }
    }
}
