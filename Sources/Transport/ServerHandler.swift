import InferenceTypes

/// Why a request was not handed on whole. The handler answers with the status.
public enum RequestRefusal: Sendable, Equatable {
    case headTooLarge
    case uriTooLong
    case bodyTooLarge
    /// The bytes are not HTTP/1.1 as RFC 9112 has it; the connection closes after the answer.
    case malformed(status: Int)
    /// The client stopped in the middle of its request.
    case bodyTimeout
    /// The process holds as much as it may.
    case overloaded

    public var status: Int {
        switch self {
        case .headTooLarge: 431
        case .uriTooLong: 414
        case .bodyTooLarge: 413
        case .malformed(let status): status
        case .bodyTimeout: 408
        case .overloaded: 503
        }
    }
}

/// What a server does with its requests: one object per reactor, called on its thread only.
open class ServerHandler {
    public init() {}

    /// The head is there, the body is not. Answering here refuses the request before its body is
    /// taken in (a wrong key, an unknown path); doing nothing lets it come.
    open func head(_ stream: ServerStream) {}

    /// The request is complete, and was not answered in `head`.
    open func request(_ stream: ServerStream) {}

    /// The request will not become complete; answer with `refusal.status` or reset the stream.
    open func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {}

    /// The stream's buffer is low again after `notifyWhenDrained`.
    open func drained(_ stream: ServerStream) {}

    /// The client left (RST_STREAM, FIN, RST) or stalled before the response was complete. The
    /// stream takes no more bytes; forget it.
    open func gone(_ stream: ServerStream) {}

    /// The reactor's loop has ended: let go of whatever refers back here.
    open func ended() {}
}
