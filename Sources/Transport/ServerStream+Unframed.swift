import WireProtocols

extension ServerStream {
    /// Sends the head of a response that ends with its connection (RFC 9112 6.3, the last rule);
    /// `send` then puts bytes onto the connection as they are. HTTP/1.1 only: in HTTP/2 this is
    /// `respond`. The emulated model servers use it to misbehave.
    public func respondUntilClose(status: Int, fields: borrowing FieldBlock) {
        guard !isAnswered else { return }
        if !isHTTP2 { isCloseDelimited = true }
        respond(status: status, fields: fields)
    }
}
