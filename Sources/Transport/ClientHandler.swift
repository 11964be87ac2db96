import Glibc
import InferenceTypes
import WireProtocols

/// Why a request to an upstream got no complete response.
public enum ClientFailure: Error, Sendable, Equatable {
    /// No connection: refused, unreachable, no descriptor left. The errno.
    case connect(Int32)
    /// The TLS handshake failed or the certificate is not to be trusted.
    case tls(String)
    /// The connection went down before the first byte of a response.
    case closedBeforeResponse
    /// The response broke off.
    case truncated
    /// The bytes are not an HTTP/1.1 response.
    case malformed(HTTP1Error)
    /// A handler gave up.
    case cancelled

    /// True for an errno of ``connect`` that says that this process has no descriptor or no place
    /// in the pool left, rather than that nobody answers.
    public static func isOurs(_ code: Int32) -> Bool {
        code == EAGAIN || code == EMFILE || code == ENFILE || code == EADDRNOTAVAIL
    }
}

/// Who waits for a response: one object per exchange, called on its reactor's thread.
open class ClientHandler {
    public init() {}

    /// The connection stands and takes the request (at once for a reused one).
    open func connected(_ connection: ClientConnection) {}

    /// `connection.head` holds `:status` and the fields.
    open func responded(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {}

    /// A piece of the body, without transfer framing; valid during the call.
    open func received(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {}

    /// The response is complete. `isCloseDelimited`: its end is only the end of the connection, so
    /// nothing says that it was not cut.
    open func ended(_ connection: ClientConnection, isCloseDelimited: Bool) {}

    /// No (complete) response; the connection is closed.
    open func failed(_ connection: ClientConnection, _ failure: ClientFailure) {}
}
