// Transport: the only room that knows sockets.
//
// A `Reactor` is one thread's event loop over epoll. `Server` gives each reactor its downstream
// connections (HTTP/2 and HTTP/1.1, cleartext and TLS) and calls a `ServerHandler` with whole
// requests; `ServerStream` is how the handler answers. `ClientPool` keeps HTTP/1.1 connections to
// one upstream address and calls a `ClientHandler` with the response as it arrives. `ReactorGroup`
// starts the threads and spreads accepted sockets over them. Everything but `Reactor.post` and
// `Reactor.stop` belongs to the reactor's own thread.
import CLinux
import Glibc
import InferenceTypes
import Synchronization
import WireProtocols

/// Reads the clock that deadlines are measured on.
public enum MonotonicClock {
    public static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// What epoll says of a descriptor.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let readable = Readiness(rawValue: joulegate_epollin)
    public static let writable = Readiness(rawValue: joulegate_epollout)
    public static let failed = Readiness(rawValue: joulegate_epollerr | joulegate_epollhup)
    /// Either bit says so: ask for an intersection, not for both.
    public static let peerClosed = Readiness(rawValue: joulegate_epollrdhup | joulegate_epollhup)

    /// The peer sends no more, or the connection is broken. Any one of the bits says so: a FIN
    /// alone is no hang-up, and it may come in the same event as the last bytes, never to be told
    /// again.
    var hasPeerClosed: Bool { !isDisjoint(with: [.peerClosed, .failed]) }
}

/// Something with a descriptor that a reactor watches, edge-triggered: after `ready` the owner
/// reads or writes until the kernel says no, so that no registration ever has to be changed.
open class Pollable {
    public final var descriptor: Int32
    public unowned(unsafe) final let reactor: Reactor

    public init(descriptor: Int32, reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    /// Called once a turn at most, with everything that happened.
    open func ready(_ events: Readiness) {}

    /// Called at the end of the turn after `reactor.markDirty(self)`: write what there is.
    open func flush() {}

    final var isDirty = false
    final var isRunAgain = false
}

/// One thread's event loop. A turn: take what epoll has, run due timers and mail, then flush every
/// dirty connection once.
///
/// `@unchecked Sendable`: other threads hold a reference only to call `post` and `stop`, which are
/// thread-safe; every other member is used by the loop's own thread.
public final class Reactor: @unchecked Sendable {
    /// Its place in the group.
    public let index: Int
    /// The time of this turn, read once after epoll returned.
    public private(set) var now: MonotonicTime
    /// Open downstream connections, for spreading new ones; read by the accepting thread.
    public let connectionCount = Atomic<Int>(0)
    /// Whatever the owner of the group wants to find again from posted work.
    public var context: AnyObject?
    /// Called when a turn's events are in, before its bytes leave: the place for what is done once
    /// a turn.
    public var turnEnding: (() -> Void)?
    /// The downstream side that accepted sockets are given to.
    public var server: Server?

    var timers = TimerHeap()
    /// When streamed events gather for a moment.
    var coalescing = StreamCoalescing(pause: .zero)
    /// Where bytes wait for sockets and windows.
    let blocks = BlockPool()
    let readBuffer: UnsafeMutableRawBufferPointer
    /// Serialised frames of the connection being flushed.
    var scratch = ByteQueue(keeping: 1 << 20)
    /// Plain text of the TLS connection being read.
    var plaintext: [UInt8] = []
    /// Events of the HTTP/2 session being worked on; taken and put back around each use.
    var spareEvents: [HTTP2Event] = []

    /// A connection's leftover bytes with the ones just read.
    var joined: [UInt8] = []
    /// HTTP/1.1 text of a response head being put together.
    var text: [UInt8] = []

    private let epoll: Int32
    private let mailbox: Mailbox
    private var dirty: [Pollable] = []
    private var again: [Pollable] = []
    private var graveyard: [Pollable] = []
    private var isRunning = true
    var listeners: [Listener] = []

    public static let readSize = 64 << 10

    public init(index: Int) throws {
        self.index = index
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
        mailbox = try Mailbox()
        readBuffer = .allocate(byteCount: Reactor.readSize, alignment: 64)
        now = MonotonicClock.now()
        // The mailbox is the one registration without an object behind it.
        var event = epoll_event()
        event.events = joulegate_epollin
        epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox.descriptor, &event)
    }

    deinit {
        close(epoll)
        readBuffer.deallocate()
    }

    // MARK: From any thread

    /// Runs `work` on the reactor's thread in its next turn.
    public func post(_ work: @escaping @Sendable (Reactor) -> Void) { mailbox.post(work) }

    public func stop() {
        post { $0.isRunning = false }
    }

    // MARK: From the reactor's thread

    /// Watches `pollable` and keeps it alive until `bury`.
    func register(_ pollable: Pollable, edgeTriggered: Bool = true) {
        var event = epoll_event()
        event.events = joulegate_epollin | joulegate_epollrdhup
        if edgeTriggered { event.events |= joulegate_epollout | joulegate_epollet }
        event.data.ptr = Unmanaged.passRetained(pollable).toOpaque()
        epoll_ctl(epoll, EPOLL_CTL_ADD, pollable.descriptor, &event)
    }

    /// Closes the descriptor. The object lives until the turn ends: later events of the same batch
    /// may still name it.
    func bury(_ pollable: Pollable) {
        guard pollable.descriptor >= 0 else { return }
        close(pollable.descriptor)
        pollable.descriptor = -1
        graveyard.append(pollable)
        Unmanaged.passUnretained(pollable).release()
    }

    /// Stops watching without closing; `register` takes it up again.
    func unwatch(_ pollable: Pollable) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, pollable.descriptor, nil)
        graveyard.append(pollable)
        Unmanaged.passUnretained(pollable).release()
    }

    /// Has `pollable.flush()` called once at the end of the turn.
    func markDirty(_ pollable: Pollable) {
        coalescing.noteUrgent()
        enqueue(pollable)
    }

    /// The same for the middle of a stream, which may wait for others of its kind.
    func markStreaming(_ pollable: Pollable) {
        coalescing.noteEvent()
        enqueue(pollable)
    }

    private func enqueue(_ pollable: Pollable) {
        guard !pollable.isDirty else { return }
        pollable.isDirty = true
        dirty.append(pollable)
    }

    /// Has `pollable.ready(.readable)` called in the next turn: it left bytes unread.
    func runAgain(_ pollable: Pollable) {
        guard !pollable.isRunAgain else { return }
        pollable.isRunAgain = true
        again.append(pollable)
    }

    /// Runs the loop on the calling thread until `stop`.
    public func run() {
        let capacity = 512
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        while isRunning {
            let count = joulegate_epoll_wait(epoll, events, Int32(capacity), timeout())
            now = MonotonicClock.now()
            var hasMail = false
            for index in 0..<max(0, Int(count)) {
                guard let pointer = events[index].data.ptr else {
                    hasMail = true
                    continue
                }
                let readiness = Readiness(rawValue: events[index].events)
                Unmanaged<Pollable>.fromOpaque(pointer)._withUnsafeGuaranteedRef { pollable in
                    if pollable.descriptor >= 0 { pollable.ready(readiness) }
                }
            }
            if hasMail {
                for work in mailbox.take() { work(self) }
            }
            pause(finishTurn())
        }
        letGo()
    }

    /// What was on this reactor refers back to it: without this neither would ever be freed.
    private func letGo() {
        for listener in listeners { listener.close() }
        listeners = []
        turnEnding = nil
        timers = TimerHeap()
        server?.handler.ended()
        server = nil
        context = nil
        graveyard = []
        _ = mailbox.take()
    }

    private func timeout() -> Int64 {
        if !again.isEmpty { return 0 }
        guard let next = timers.next else { return -1 }
        return max(0, (next - MonotonicClock.now()).nanoseconds)
    }

    /// Returns how long streamed events may gather before the next turn.
    private func finishTurn() -> TimeSpan {
        while let action = timers.popDue(at: now) { action() }
        if !again.isEmpty {
            let batch = again
            again.removeAll(keepingCapacity: true)
            for pollable in batch {
                pollable.isRunAgain = false
                if pollable.descriptor >= 0 { pollable.ready(.readable) }
            }
        }
        turnEnding?()
        let writes = dirty.count
        flushDirty()
        // Flushing may have told the owner of departures and of room in buffers.
        turnEnding?()
        flushDirty()
        graveyard.removeAll(keepingCapacity: true)
        let pause = coalescing.turnEnded(at: now, writes: writes)
        return again.isEmpty ? pause : .zero
    }

    private func pause(_ span: TimeSpan) {
        guard span > .zero else { return }
        var time = timespec(tv_sec: 0, tv_nsec: Int(span.nanoseconds))
        nanosleep(&time, nil)
    }

    private func flushDirty() {
        var index = 0
        while index < dirty.count {
            let pollable = dirty[index]
            pollable.isDirty = false
            if pollable.descriptor >= 0 { pollable.flush() }
            index += 1
        }
        dirty.removeAll(keepingCapacity: true)
    }
}
