import Configuration
import Glibc
import InferenceTypes
import Logging
import Scheduling
import Synchronization
import Transport

/// The journal's file and the thread that writes it. What the scheduler's lock hands over waits in
/// memory, up to a bound; nobody but the thread waits for the disk. The journal ends, and the
/// gateway goes on, when the gateway stops, when the file has its size, when the bound is reached,
/// or when the disk fails.
final class JournalFile: Sendable {
    private struct Queue {
        var batches: [JournalRecorder.Batch] = []
        /// Room for further ones.
        var spares: [[UInt8]] = []
        /// Set: nothing more comes in.
        var end: JournalEnd?
    }

    private let queue: Mutex<Queue>
    private let descriptor: Int32
    private let path: String
    private let mostBytes: Int
    private let logger: Logger
    private let thread = Mutex<pthread_t?>(nil)
    private let writtenEvents = Atomic<Int>(0)
    private let writtenBytes: Atomic<Int>

    /// How often what was recorded is handed to the kernel.
    private static let interval: UInt32 = 20
    /// How often a batch that is not full is taken, in intervals: a crash loses so much.
    private static let intervalsPerFlush = 25

    /// `nil` if none is configured. A journal of that name becomes `NAME.1`.
    convenience init?(
        _ configuration: GatewayConfiguration, _ head: JournalHead, logger: Logger
    ) throws(JournalFileError) {
        guard let path = configuration.journal.path else { return nil }
        // Before anything is touched: no night is to be taken down in vain.
        if let problem = head.problem {
            throw JournalFileError(path: path, reason: "it could not be replayed: " + problem)
        }
        var there = stat()
        if lstat(path, &there) == 0, there.st_mode & S_IFMT == S_IFREG,
            rename(path, path + ".1") != 0
        {
            throw JournalFileError(path: path, reason: Self.message(errno))
        }
        // Not through a link that somebody left there, and for the owner's eyes alone.
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else {
            throw JournalFileError(path: path, reason: Self.message(errno))
        }
        try self.init(
            descriptor: descriptor, path: path, head: head,
            mostBytes: configuration.journal.maxBytes,
            bufferBytes: configuration.limits.journalBufferBytes, logger: logger)
    }

    /// Takes over the descriptor and writes the head.
    init(
        descriptor: Int32, path: String, head: JournalHead, mostBytes: Int, bufferBytes: Int,
        logger: Logger
    ) throws(JournalFileError) {
        self.descriptor = descriptor
        self.path = path
        self.mostBytes = mostBytes
        self.logger = logger
        var queue = Queue()
        let spares = max(bufferBytes / JournalFormat.usualBlock, 1)
        queue.batches.reserveCapacity(spares + 1)
        for _ in 0..<spares { queue.spares.append(JournalRecorder.buffer()) }
        self.queue = Mutex(queue)
        let start = JournalFormat.prologue + head.block()
        writtenBytes = Atomic(start.count)
        guard Self.write(start, to: descriptor) else {
            let reason = errno
            close(descriptor)
            throw JournalFileError(path: path, reason: Self.message(reason))
        }
    }

    var figures: (events: Int, bytes: Int, isOpen: Bool) {
        (
            writtenEvents.load(ordering: .relaxed), writtenBytes.load(ordering: .relaxed),
            queue.withLock { $0.end == nil }
        )
    }

    /// Takes what was recorded; under the scheduler's lock. Where no room is left, or the journal
    /// has ended, recording ends: the recorder becomes `nil`.
    func turnOver(_ recorder: inout JournalRecorder?) {
        queue.withLock { queue in
            guard queue.end == nil else {
                recorder = nil
                return
            }
            guard let spare = queue.spares.popLast() else {
                if let last = recorder?.take(into: []) { queue.batches.append(last) }
                queue.end = .gap
                recorder = nil
                return
            }
            if let batch = recorder?.take(into: spare) { queue.batches.append(batch) }
        }
    }

    /// Writes until the journal ends. `flush` has the scheduler turn over what it has.
    func start(flush: @escaping @Sendable () -> Void) {
        thread.withLock { $0 = Thread.start(name: "journal") { self.run(flush) } }
    }

    /// No more comes in; waits until all is written.
    func stop() {
        queue.withLock { $0.end = $0.end ?? .stopped }
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    private func run(_ flush: () -> Void) {
        var turns = 0
        while true {
            turns += 1
            if turns % Self.intervalsPerFlush == 0 { flush() }
            let (batches, end) = queue.withLock { queue in
                defer { queue.batches.removeAll(keepingCapacity: true) }
                return (queue.batches, queue.end)
            }
            for batch in batches {
                if let problem = append(batch) {
                    finish(problem.end, problem.why)
                    return
                }
            }
            if let end {
                finish(end, end == .gap ? "the disk was too slow" : nil)
                return
            }
            if batches.isEmpty { Pause.milliseconds(Self.interval) }
        }
    }

    /// `nil`: it is written. Without an `end` none can be.
    private func append(_ batch: JournalRecorder.Batch) -> (end: JournalEnd?, why: String)? {
        let block = batch.block()
        let size = writtenBytes.load(ordering: .relaxed) + block.count
        guard size + JournalFormat.endBytes <= mostBytes else {
            return (.full, "it has the size it may have")
        }
        guard Self.write(block, to: descriptor) else { return (nil, Self.message(errno)) }
        writtenBytes.store(size, ordering: .relaxed)
        writtenEvents.add(Int(batch.events), ordering: .relaxed)
        // A new one: the old one is still in use here.
        let spare = JournalRecorder.buffer()
        queue.withLock { $0.spares.append(spare) }
        return nil
    }

    private func finish(_ end: JournalEnd?, _ why: String?) {
        queue.withLock { queue in
            queue.end = end ?? .gap
            queue.batches = []
            queue.spares = []
        }
        let events = writtenEvents.load(ordering: .relaxed)
        if let end, Self.write(end.block(events: UInt64(events)), to: descriptor) {
            writtenBytes.add(JournalFormat.endBytes, ordering: .relaxed)
        }
        fsync(descriptor)
        close(descriptor)
        if let why {
            logger.warning(
                "the journal has ended",
                metadata: ["path": "\(path)", "events": "\(events)", "reason": "\(why)"])
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private static func message(_ reason: Int32) -> String { String(cString: strerror(reason)) }
}

/// Why no journal can be written.
struct JournalFileError: Error, CustomStringConvertible {
    var path: String
    var reason: String

    var description: String { "the journal '\(path)': \(reason)" }
}
