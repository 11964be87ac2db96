import CLinux
import Glibc
import Synchronization

/// Work that other threads hand to a reactor: a locked list and an eventfd that wakes the loop.
final class Mailbox: Sendable {
    typealias Work = @Sendable (Reactor) -> Void

    let descriptor: Int32
    private let list = Mutex<[Work]>([])

    init() throws {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(descriptor) }

    func post(_ work: @escaping Work) {
        let wasEmpty = list.withLock { list in
            list.append(work)
            return list.count == 1
        }
        if wasEmpty { wake() }
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// All the work there is, oldest first; clears the eventfd.
    func take() -> [Work] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return list.withLock { list in
            let work = list
            list = []
            return work
        }
    }
}
