import CLinux
import Glibc
import InferenceTypes
import WireProtocols

/// A bound socket. Made before the reactors run (so that a wrong port is known at once), then
/// attached to the one reactor that accepts for all.
public struct BoundSocket: Sendable {
    public let descriptor: Int32
    public let address: SocketAddress

    /// Binds and listens; port 0 lets the system choose.
    public init(_ address: SocketAddress) throws {
        descriptor = try Socket.listen(on: address)
        let port = address.port == 0 ? Socket.port(of: descriptor) : address.port
        self.address = SocketAddress(host: address.host, port: port) ?? address
    }
}

/// Accepts connections and hands each to the reactor that has the fewest.
final class Listener: Pollable {
    private let tls: TLSContext?
    private let place: (Int32, TLSContext?) -> Void
    private var retry: Timer?
    private var isWatched = false

    init(
        socket: BoundSocket, tls: TLSContext?, reactor: Reactor,
        place: @escaping (Int32, TLSContext?) -> Void
    ) {
        self.tls = tls
        self.place = place
        super.init(descriptor: socket.descriptor, reactor: reactor)
    }

    func start() {
        guard !isWatched, descriptor >= 0 else { return }
        isWatched = true
        // Level-triggered: a connection that is left for the next turn wakes the loop again.
        reactor.register(self, edgeTriggered: false)
    }

    override func ready(_ events: Readiness) {
        for _ in 0..<64 {
            let accepted = joulegate_accept(descriptor, nil, nil)
            if accepted >= 0 {
                place(accepted, tls)
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                rest()
                return
            case EINTR, ECONNABORTED:
                continue
            default:
                return
            }
        }
    }

    /// Out of descriptors: stop listening for a moment instead of spinning on a socket that stays
    /// readable.
    private func rest() {
        reactor.unwatch(self)
        isWatched = false
        let timer = Timer(on: reactor) { [weak self] in self?.start() }
        timer.arm(after: .milliseconds(200))
        retry = timer
    }

    func close() {
        if isWatched {
            reactor.bury(self)
        } else if descriptor >= 0 {
            Socket.discard(descriptor)
            descriptor = -1
        }
        isWatched = false
    }
}
