import InferenceAPI
import InferenceTypes
import WireProtocols

/// The head of a request to a model server: a fixed set of fields, all of them ours. Nothing that
/// a client sent in its head is copied.
enum UpstreamHead {
    static func append(
        to text: inout [UInt8], task: InferenceTask, endpoint: Directory.Endpoint,
        id: RequestID, instance: UInt32, length: Int
    ) {
        HTTP1Writer.append("POST ", to: &text)
        HTTP1Writer.append(endpoint.pathPrefix, to: &text)
        HTTP1Writer.append(task.upstreamPath, to: &text)
        text.append(contentsOf: endpoint.fixedFields)
        // The model server gets an id of ours: what a client calls its request is its own affair.
        RequestName.append(to: &text, id: id, instance: instance)
        HTTP1Writer.append("\r\ncontent-length: ", to: &text)
        HTTP1Writer.appendDecimal(length, to: &text)
        HTTP1Writer.append("\r\n\r\n", to: &text)
    }

    /// What is the same in every request to an endpoint: from behind the path to the name of the
    /// field for the request's id.
    static func fixedFields(authority: String, apiKey: String?) -> [UInt8] {
        var text: [UInt8] = []
        HTTP1Writer.append(" HTTP/1.1\r\nhost: ", to: &text)
        HTTP1Writer.append(authority, to: &text)
        HTTP1Writer.append("\r\nuser-agent: joulegate\r\naccept: ", to: &text)
        HTTP1Writer.append("application/json, text/event-stream\r\n", to: &text)
        HTTP1Writer.append("content-type: application/json\r\n", to: &text)
        if let apiKey {
            HTTP1Writer.append("authorization: Bearer ", to: &text)
            HTTP1Writer.append(apiKey, to: &text)
            HTTP1Writer.append("\r\n", to: &text)
        }
        HTTP1Writer.append("x-request-id: ", to: &text)
        return text
    }
}

/// Our own name of a request: `jg-`, eight digits for this run of the process, sixteen for the
/// request.
enum RequestName {
    private static let count = 28

    static func append(to text: inout [UInt8], id: RequestID, instance: UInt32) {
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { name in
            name.copyBytes(from: "jg-00000000-".utf8)
            writeHex(UInt64(instance), to: name[3..<11])
            writeHex(id.rawValue, to: name[12..<count])
            text.append(contentsOf: UnsafeRawBufferPointer(name))
        }
    }

    private static func writeHex(
        _ number: UInt64, to digits: Slice<UnsafeMutableRawBufferPointer>
    ) {
        let target = UnsafeMutableRawBufferPointer(rebasing: digits)
        var rest = number
        for place in target.indices.reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 0xF)
            target[place] = digit &+ (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            rest >>= 4
        }
    }
}
