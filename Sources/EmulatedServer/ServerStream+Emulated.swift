import Transport
import WireProtocols

/// Misbehaviour that a well-behaved server has no door for.
extension ServerStream {
    /// A response head with the framing that a fault asks for.
    ///
    /// Transport frames an HTTP/1.1 body of unknown length by chunks and offers nothing else:
    /// `.close` goes out as `.chunked` until it does, and its cut is then that of `cut-chunked`.
    func respondEmulated(
        status: Int, fields: borrowing FieldBlock, framing: ServiceAction.Framing
    ) {
        switch framing {
        case .length(let count): respond(status: status, fields: fields, length: count)
        case .chunked, .close: respond(status: status, fields: fields)
        }
    }

    /// Bytes past the framing. Not to be had from Transport: nothing is sent, and the fault is
    /// that of `cut-chunked`.
    func sendUnframed(_ bytes: UnsafeRawBufferPointer) {}
}
