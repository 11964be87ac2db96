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
        HTTP1Writer.append(" HTTP/1.1\r\nhost: ", to: &text)
        HTTP1Writer.append(endpoint.authority, to: &text)
        HTTP1Writer.append("\r\nuser-agent: joulegate\r\naccept: ", to: &text)
        HTTP1Writer.append("application/json, text/event-stream\r\n", to: &text)
        HTTP1Writer.append("content-type: application/json\r\n", to: &text)
        if let key = endpoint.apiKey {
            HTTP1Writer.append("authorization: Bearer ", to: &text)
            HTTP1Writer.append(key, to: &text)
            HTTP1Writer.append("\r\n", to: &text)
        }
        // The model server gets an id of ours: what a client calls its request is its own affair.
        HTTP1Writer.append("x-request-id: ", to: &text)
        RequestName.append(to: &text, id: id, instance: instance)
        HTTP1Writer.append("\r\ncontent-length: ", to: &text)
        HTTP1Writer.appendDecimal(length, to: &text)
        HTTP1Writer.append("\r\n\r\n", to: &text)
    }
}

/// Our own name of a request: `jg-`, eight digits for this run of the process, sixteen for the
/// request.
enum RequestName {
    static func append(to text: inout [UInt8], id: RequestID, instance: UInt32) {
        HTTP1Writer.append("jg-", to: &text)
        appendHex(UInt64(instance), digits: 8, to: &text)
        text.append(UInt8(ascii: "-"))
        appendHex(id.rawValue, digits: 16, to: &text)
    }

    private static func appendHex(_ number: UInt64, digits: Int, to text: inout [UInt8]) {
        for place in (0..<digits).reversed() {
            let digit = UInt8(number >> UInt64(4 * place) & 0xF)
            text.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
    }
}
