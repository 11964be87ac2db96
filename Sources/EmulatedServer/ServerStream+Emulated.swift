import Transport
import WireProtocols

/// Misbehaviour that a well-behaved server has no use for.
extension ServerStream {
    /// A response head with the framing that a fault asks for.
    func respondEmulated(
        status: Int, fields: consuming FieldBlock, framing: ServiceAction.Framing
    ) {
        switch framing {
        case .length(let count): respond(status: status, fields: fields, length: count)
        case .chunked: respond(status: status, fields: fields)
        case .close: respondUntilClose(status: status, fields: fields)
        case .handMadeChunks:
            fields.append("transfer-encoding", "chunked")
            respondUntilClose(status: status, fields: fields)
        }
    }

    /// One chunk of a body whose framing is not Transport's.
    func sendChunk(_ bytes: UnsafeRawBufferPointer) {
        var chunk: [UInt8] = []
        HTTP1Writer.appendChunkSize(to: &chunk, bytes.count)
        chunk.append(contentsOf: bytes)
        chunk.append(contentsOf: [13, 10])
        chunk.withUnsafeBytes { send($0) }
    }
}
