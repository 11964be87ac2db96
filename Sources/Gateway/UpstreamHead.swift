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
        text.append(contentsOf: endpoint.headStarts[task.ordinal])
        withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { room in
            // The model server gets an id of ours: what a client calls its request is its own
            // affair.
            RequestName.write(to: room, id: id, instance: instance)
            var end = RequestName.count
            end += HTTP1Writer.write("\r\ncontent-length: ", to: room, at: end)
            end += HTTP1Writer.write(length, to: room, at: end)
            end += HTTP1Writer.write("\r\n\r\n", to: room, at: end)
            text.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<end]))
        }
    }

    /// What is the same in every request for a task to an endpoint: up to the name of the field for
    /// the request's id.
    static func start(
        _ task: InferenceTask, pathPrefix: String, authority: String, apiKey: String?
    ) -> [UInt8] {
        var text: [UInt8] = []
        HTTP1Writer.append("POST ", to: &text)
        HTTP1Writer.append(pathPrefix, to: &text)
        HTTP1Writer.append(task.upstreamPath, to: &text)
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
