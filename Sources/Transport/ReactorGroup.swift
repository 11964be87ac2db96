import CLinux
import Glibc
import InferenceTypes
import Synchronization
import WireProtocols

/// The reactors of a process and their threads. New connections go to the reactor with the fewest,
/// so that two clients never share a core while another one is free.
public final class ReactorGroup: Sendable {
    public let reactors: [Reactor]
    private let threads = Mutex<[pthread_t]>([])

    public init(count: Int) throws {
        reactors = try (0..<max(1, count)).map { try Reactor(index: $0) }
    }

    /// Attaches a listening socket; call on any thread, before or after `start`.
    public func listen(on socket: BoundSocket, tls: TLSContext?) {
        guard let first = reactors.first else { return }
        first.post { reactor in
            let listener = Listener(socket: socket, tls: tls, reactor: reactor) { fd, tls in
                self.place(fd, tls)
            }
            listener.start()
            reactor.listeners.append(listener)
        }
    }

    /// Closes the listening sockets: nothing new comes in.
    public func stopListening() {
        reactors.first?.post { reactor in
            for listener in reactor.listeners { listener.close() }
            reactor.listeners = []
        }
    }

    private func place(_ descriptor: Int32, _ tls: TLSContext?) {
        var target = reactors[0]
        var fewest = Int.max
        var open = 0
        for reactor in reactors {
            let count = reactor.connectionCount.load(ordering: .relaxed)
            open += count
            if count < fewest {
                target = reactor
                fewest = count
            }
        }
        if let limits = reactors[0].server?.limits, open >= limits.connections {
            Socket.discard(descriptor)
            return
        }
        // Counted at once: several connections of one accept loop must see each other.
        target.connectionCount.add(1, ordering: .relaxed)
        if target.index == 0 {
            target.server?.adopt(descriptor: descriptor, tls: tls)
        } else {
            target.post { $0.server?.adopt(descriptor: descriptor, tls: tls) }
        }
    }

    /// Starts one thread per reactor.
    public func start() {
        for reactor in reactors {
            let thread = Thread.start(name: "reactor-\(reactor.index)") { reactor.run() }
            if let thread { threads.withLock { $0.append(thread) } }
        }
    }

    public func stop() {
        for reactor in reactors { reactor.stop() }
    }

    /// Waits until every reactor's loop has ended.
    public func join() {
        let waiting = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in waiting { pthread_join(thread, nil) }
    }
}

extension Reactor {
    /// Accepts on this reactor alone, for a server of its own. Call before its loop runs or on its
    /// thread.
    public func listen(on socket: BoundSocket, tls: TLSContext?) {
        let listener = Listener(socket: socket, tls: tls, reactor: self) {
            [unowned self] descriptor, tls in
            self.connectionCount.add(1, ordering: .relaxed)
            self.server?.adopt(descriptor: descriptor, tls: tls)
        }
        listener.start()
        listeners.append(listener)
    }
}

/// A plain POSIX thread; Swift concurrency has no place on the data path.
public enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    public static func start(name: String, _ run: @escaping @Sendable () -> Void) -> pthread_t? {
        var thread = pthread_t()
        let body = Body {
            joulegate_name_thread(name)
            run()
        }
        let box = Unmanaged.passRetained(body).toOpaque()
        let status = pthread_create(&thread, nil, { pointer in
            guard let pointer else { return nil }
            Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
            return nil
        }, box)
        return status == 0 ? thread : nil
    }
}

/// What the process does for the secrets in its memory.
public enum ProcessProtection {
    /// Prompts and keys reach no core file, and no other process of the same user can attach.
    public static func forbidDumps() { joulegate_forbid_dumps() }
}
