import Foundation
import InferenceTypes
import Logging
import Scheduling
import Testing

@testable import Gateway

/// A folder of its own that goes with the test.
private final class Folder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "journal-\(UInt64.random(in: 0 ... .max))"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String = "journal") -> String { path + "/" + name }

    func bytes(_ name: String = "journal") throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: file(name))))
    }
}

/// What a replay of a file came to.
private struct Replayed {
    var events = 0
    var isExact = true
    var ending: JournalReader.Ending?

    init(_ bytes: [UInt8]) throws {
        var position = 0
        var replay = JournalReplay(
            try JournalReader { count in
                let end = min(position + count, bytes.count)
                defer { position = end }
                return Array(bytes[position..<end])
            })
        while let step = try replay.next() {
            events += 1
            if case .differs = step { isExact = false }
        }
        ending = replay.reader.ending
    }
}

@Suite struct JournalFileTests {
    private func head() -> JournalHead {
        let profile = FastProfiles.profile()
        return JournalHead(
            gatewayVersion: "1.2.3", unixStart: .zero,
            configuration: Scheduler.Configuration(
                pools: [.init(name: "p", engine: .vllm, accelerator: .gpu, models: [ModelID(0)])],
                endpoints: [.init(pool: PoolID(0), profile: profile)], modelCount: 1),
            seed: 5, start: .zero)
    }

    private func scheduler(
        writingTo descriptor: Int32, most: Int = 1 << 30, buffer: Int = 16 << 20
    ) throws -> SharedScheduler {
        var logger = Logger(label: "journal-tests")
        logger.logLevel = .critical
        let journal = try JournalFile(
            descriptor: descriptor, path: "journal", head: head(), mostBytes: most,
            bufferBytes: buffer, logger: logger)
        return SharedScheduler(head().scheduler(), from: .zero, journal: journal)
    }

    /// Requests that come and go, two events each.
    private func work(_ scheduler: SharedScheduler, requests: Range<UInt64>) {
        for number in requests {
            var actions: [Scheduler.Action] = []
            let id = RequestID(number)
            let now = MonotonicTime(nanoseconds: Int64(number) * 1_000_000)
            let request = InferenceRequest(
                id: id, model: ModelID(0), task: .chat, streams: true, promptBytes: 400)
            let usage = Usage(inputTokens: 100, outputTokens: 20)
            var events = EventQueue()
            events.append(.arrived(request))
            events.append(.finished(id, .init(outcome: .completed, usage: usage)))
            scheduler.handle(&events, at: now, into: &actions)
            #expect(events.count == 0)
        }
    }

    /// Reads a pipe to its end on a thread of its own.
    private func drain(_ descriptor: Int32) -> Task<[UInt8], Never> {
        Task.detached {
            var all: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &piece, piece.count)
                guard count > 0 else { return all }
                all += piece[..<count]
            }
        }
    }

    @Test func whatIsWrittenReplays() throws {
        let folder = Folder()
        let descriptor = open(folder.file(), O_WRONLY | O_CREAT, 0o600)
        let scheduler = try self.scheduler(writingTo: descriptor)
        scheduler.startJournal()
        work(scheduler, requests: 1..<3_000)
        scheduler.stopJournal()
        let replayed = try Replayed(folder.bytes())
        #expect(replayed.isExact && replayed.events == 2 * 2_999)
        #expect(replayed.ending == .marked(.stopped))
        let figures = scheduler.journalFigures()
        #expect(figures?.written == 2 * 2_999 && figures?.lost == 0)
        #expect(figures?.bytes == (try folder.bytes().count))
    }

    @Test func aDiskThatIsTooSlowLeavesAMarkedGap() async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        // Nobody reads: the writer's thread soon waits, and nobody else may.
        let scheduler = try self.scheduler(writingTo: ends[1], buffer: 4 << 16)
        scheduler.startJournal()
        let start = ContinuousClock.now
        work(scheduler, requests: 1..<20_000)
        #expect(ContinuousClock.now - start < .seconds(20))
        let reading = drain(ends[0])
        scheduler.stopJournal()
        let replayed = try Replayed(await reading.value)
        close(ends[0])
        #expect(replayed.isExact && replayed.ending == .marked(.gap))
        let figures = try #require(scheduler.journalFigures())
        #expect(figures.written == replayed.events && figures.lost > 0)
        #expect(figures.written + figures.lost == 2 * 19_999)
        // What was in the buffers came out; beyond that nothing was kept.
        #expect(figures.bytes > 4 << 16 && figures.bytes < 10 << 16)
    }

    @Test func itEndsBeforeTheFileIsTooLarge() throws {
        let folder = Folder()
        let descriptor = open(folder.file(), O_WRONLY | O_CREAT, 0o600)
        let scheduler = try self.scheduler(writingTo: descriptor, most: 150_000)
        scheduler.startJournal()
        work(scheduler, requests: 1..<10_000)
        scheduler.stopJournal()
        let bytes = try folder.bytes()
        #expect(bytes.count <= 150_000 && bytes.count > 64 << 10)
        let replayed = try Replayed(bytes)
        #expect(replayed.isExact && replayed.ending == .marked(.full))
        #expect(scheduler.journalFigures()?.lost == 2 * 9_999 - replayed.events)
    }

    @Test func aFailingDiskEndsTheJournalOnly() throws {
        // Space for nothing but the head, which is written before.
        let descriptor = open("/dev/full", O_WRONLY)
        #expect(throws: JournalFileError.self) { try self.scheduler(writingTo: descriptor) }
        let readOnly = Folder()
        let file = open(readOnly.file(), O_RDWR | O_CREAT, 0o600)
        let scheduler = try self.scheduler(writingTo: file)
        // The file is gone under the writer.
        dup2(open("/dev/full", O_WRONLY), file)
        scheduler.startJournal()
        work(scheduler, requests: 1..<2_000)
        scheduler.stopJournal()
        #expect(scheduler.journalFigures()?.written == 0)
        #expect(scheduler.journalFigures()?.lost == 2 * 1_999)
    }

    @Test func theGatewayKeepsTheJournalOfBefore() throws {
        let folder = Folder()
        try Data("before".utf8).write(to: URL(fileURLWithPath: folder.file()))
        let prompt = "canary-9c1f"
        let fixture = try GatewayFixture { $0.journal.path = folder.file() }
        for _ in 0..<5 {
            #expect(fixture.post(Prompts.chat(prompt)).status == 200)
        }
        let page = RawClient.get(fixture.adminPort, "/metrics").text
        #expect(page.contains("joulegate_journal_events_total{outcome=\"lost\"} 0"))
        fixture.stop()
        #expect(try folder.bytes("journal.1") == Array("before".utf8))
        let bytes = try folder.bytes()
        let replayed = try Replayed(bytes)
        #expect(replayed.isExact && replayed.events > 10)
        #expect(replayed.ending == .marked(.stopped))
        #expect(!String(decoding: bytes, as: UTF8.self).contains(prompt))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file())
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func whereNoFileCanBeThereIsNoGateway() throws {
        let folder = Folder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: folder.file("elsewhere"))
        for path in [folder.path, folder.file("none/journal"), folder.file("link")] {
            #expect(throws: JournalFileError.self) {
                _ = try GatewayFixture { $0.journal.path = path }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("elsewhere")))
    }

    @Test func aJournalThatNobodyCouldReadIsNotBegun() throws {
        let folder = Folder()
        try Data("before".utf8).write(to: URL(fileURLWithPath: folder.file()))
        do {
            _ = try GatewayFixture {
                $0.journal.path = folder.file()
                $0.limits.queuedRequests = 2_000_000
            }
            Issue.record("it has started")
        } catch let error as JournalFileError {
            #expect(
                error.description
                    == "the journal '\(folder.file())': it could not be replayed: "
                    + "limits.queued_requests is 2000000, out of bounds: 0 to 1048576")
        }
        // The one of before is where it was.
        #expect(try folder.bytes() == Array("before".utf8))
        // Without a journal nothing is wrong with it.
        try GatewayFixture { $0.limits.queuedRequests = 2_000_000 }.stop()
    }
}
