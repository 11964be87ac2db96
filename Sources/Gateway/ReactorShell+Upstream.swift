import InferenceTypes
import Scheduling
import Transport

/// Connections to model servers.
extension ReactorShell {
    /// A connection for one attempt, kept or new; `fresh`: a new one.
    func connect(
        _ handler: ClientHandler, to endpoint: EndpointID, fresh: Bool
    ) -> Result<ClientConnection, UpstreamFailure> {
        do {
            return .success(try pools[endpoint.index].acquire(for: handler, fresh: fresh))
        } catch .connect(let code) where ClientFailure.isOurs(code) {
            // Our own limits ran out, not the model server: another one may have a connection.
            return .failure(.saturated(retryAfter: nil))
        } catch {
            return .failure(.connectFailed)
        }
    }
}

extension UpstreamFailure {
    init(_ failure: ClientFailure) {
        switch failure {
        case .connect, .tls: self = .connectFailed
        case .closedBeforeResponse: self = .closedBeforeHeaders
        case .truncated, .cancelled: self = .cut
        case .malformed: self = .malformed
        }
    }
}
