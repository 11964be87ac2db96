import InferenceTypes
import Testing

@testable import Scheduling

/// A random schedule with everything on that decides: meters, learning, sleep, power limits,
/// a shadow policy, tenants' orders.
private func eventful(seed: UInt64, events: Int = 4_000) -> [UInt8] {
    var schedule = RandomSchedule(seed: seed, sleeps: seed % 2 == 0, journals: true) {
        $0.learns = seed % 3 != 0
        $0.shadowPolicy = seed % 2 == 0 ? .leastLoad : .random
        $0.powerLimits = seed % 4 == 0 ? PowerLimits(site: Watts(2_500)) : .none
        $0.tenants = seed % 5 == 0 ? [.init(), .init(allowedPools: [PoolID(0)], weight: 3)] : []
    }
    var random = RandomSource(seed: seed)
    for round in 0..<events / 50 {
        schedule.run(49)
        switch random.nextIndex(below: 5) {
        case 0:
            let watts = Watts(Double(1_000 + random.nextIndex(below: 2_000)))
            schedule.bench.send(.setPowerLimits(PowerLimits(site: watts, pools: [nil, watts])))
        case 1: schedule.bench.send(.setPowerLimits(.none))
        case 2:
            let label = UInt64(random.nextIndex(below: 3))
            schedule.bench.send(.relabelled(EndpointID(random.nextIndex(below: 5)), label: label))
        case 3: schedule.bench.now = schedule.bench.now - .milliseconds(40)
        default: schedule.bench.send(.deadline, after: .seconds(Int64(round % 7)))
        }
    }
    schedule.bench.send(.drainAll)
    schedule.run(20)
    return schedule.bench.journal?.finish() ?? []
}

@Suite struct JournalReplayTests {
    @Test(arguments: Array(1...12) as [UInt64])
    func aReplayDoesTheSameToTheLastBit(_ seed: UInt64) throws {
        let outcome = try Outcome(replaying: eventful(seed: seed))
        #expect(outcome.divergence == nil && outcome.error == nil)
        #expect(outcome.ending == .marked(.stopped))
        #expect(outcome.events > 3_900)
    }

    @Test func allKindsOfEventsAreInTheSchedules() throws {
        var kinds: Set<JournalEventKind> = []
        for seed in [4, 5] as [UInt64] {
            var reader = try JournalReader(bytes: eventful(seed: seed))
            while let record = try reader.next() { kinds.insert(record.kind) }
        }
        #expect(Set(JournalEventKind.allCases).subtracting(kinds) == [])
    }

    /// The seed and each number of the configuration count.
    @Test func anotherSchedulerDoesNotPass() throws {
        for change in 0..<4 {
            var fleet = Fleet.unlike(policy: .random)
            var journal = MemoryJournal(fleet, seed: 5)
            let seed: UInt64 = change == 0 ? 6 : 5
            if change == 1 { fleet.endpoints[0].profile.idlePower = Watts(120.000_001) }
            if change == 2 { fleet.policy = .leastLoad }
            var scheduler = Scheduler(configuration: fleet, seed: seed)
            for number in 0..<200 as Range<UInt64> {
                var actions: [Action] = []
                let now = MonotonicTime(nanoseconds: Int64(number) * 1_000_000)
                let event = Scheduler.Event.arrived(chat(number))
                scheduler.handle(event, at: now, into: &actions)
                journal.record(event, at: now, actions)
            }
            let outcome = try Outcome(replaying: journal.finish())
            #expect((outcome.divergence == nil) == (change == 3))
            if let divergence = outcome.divergence {
                #expect(divergence.kind == .arrived && divergence.event <= 200)
                #expect(divergence.after.milliseconds == Double(divergence.event - 1))
            }
        }
    }

    @Test func timesKeepTheirNanoseconds() throws {
        let start = MonotonicTime(nanoseconds: 987_654_321_012_345)
        var journal = MemoryJournal(Fleet.equal(1), seed: 1, at: start)
        let times: [Int64] = [1 << 60, -(1 << 59), 0, 987_654_321_012_346, -5]
        for time in times {
            journal.record(.deadline, at: MonotonicTime(nanoseconds: time), [])
        }
        var reader = try JournalReader(bytes: journal.finish())
        var seen: [Int64] = []
        while let record = try reader.next() { seen.append(record.at.nanoseconds) }
        #expect(seen == times)
    }

    @Test func aCutFileReplaysUpToItsLastWholeBlock() throws {
        var fleet = Fleet.equal(2)
        fleet.limits.queuedRequests = 8
        var bench = Bench(fleet, journals: true)
        var ends: [(bytes: Int, events: UInt64)] = []
        for number in 0..<40 as Range<UInt64> {
            bench.send(.arrived(chat(number)), after: .milliseconds(1))
            guard number % 10 == 9 else { continue }
            bench.journal?.flush()
            ends.append((bench.journal?.bytes.count ?? 0, number + 1))
        }
        let bytes = bench.journal?.finish(nil) ?? []
        let head = bench.journal?.blocks[1] ?? 0
        for length in stride(from: head, through: bytes.count, by: 7) {
            let outcome = try Outcome(replaying: Array(bytes[..<length]))
            let last = ends.last { $0.bytes <= length }
            #expect(outcome.error == nil && outcome.divergence == nil)
            #expect(outcome.events == last?.events ?? 0)
            #expect(outcome.ending == .cut(at: UInt64(last?.bytes ?? head)))
        }
    }

    @Test func aChangedByteIsFoundAndNamed() throws {
        var bench = Bench(Fleet.equal(2), journals: true)
        for number in 0..<10 as Range<UInt64> { bench.send(.arrived(chat(number))) }
        let bytes = bench.journal?.finish() ?? []
        let starts = bench.journal?.blocks ?? []
        #expect(starts.count == 3)
        for index in JournalFormat.prologueBytes..<bytes.count {
            var changed = bytes
            changed[index] ^= 0x10
            let outcome = try Outcome(replaying: changed)
            let block = UInt64(starts.last { $0 <= index } ?? 0)
            // A length may become more than there is: then the file looks cut.
            let isCut = outcome.ending == .cut(at: block)
            #expect(outcome.error?.offset == block || isCut || outcome.error?.offset == 16)
            #expect(outcome.divergence == nil)
        }
    }

    @Test func whatIsNoJournalIsNotRead() throws {
        #expect(try Outcome(replaying: []).error?.offset == 0)
        #expect(try Outcome(replaying: Array("joulegate".utf8)).error?.offset == 0)
        var bytes = MemoryJournal(Fleet.equal(1), seed: 1).bytes
        bytes[8] = 9
        let error = try Outcome(replaying: bytes).error
        #expect(error?.offset == 8 && error?.problem.contains("version 9") == true)
    }

    @Test func aHeadOfAnImpossibleFleetIsRefused() throws {
        func problem(_ change: (inout Configuration) -> Void) throws -> String {
            var fleet = Fleet.equal(2)
            change(&fleet)
            var journal = MemoryJournal(fleet, seed: 1)
            return try Outcome(replaying: journal.finish()).error?.description ?? ""
        }
        #expect(try problem { _ in }.isEmpty)
        #expect(try problem { $0.modelCount = 1 << 50 }.contains("impossible size"))
        #expect(try problem { $0.modelCount = -1 }.contains("impossible size"))
        #expect(try problem { $0.endpoints[1].pool = PoolID(1) }.contains("endpoint 1 is in no"))
        #expect(try problem { $0.endpoints[1].profile.knots = [] }.contains("impossible profile"))
        #expect(try problem { $0.endpoints[0].profile.idlePower = Watts(.nan) }.contains("numbers"))
        #expect(try problem { $0.patience.interval = .zero }.contains("out of bounds"))
        #expect(try problem { $0.objectives = [] }.contains("promises for 0 classes of 4"))
        #expect(try problem { $0.objectives.append(LatencyObjective()) }.contains("for 5 classes"))
        #expect(
            try problem { $0.meters = [.init(name: "m", endpoints: [EndpointID(2)], scope: .wall)] }
                .contains("meter 0"))
    }

    /// Each is within the configuration's own bounds.
    @Test func aNumberOutOfBoundsIsNamed() throws {
        func problem(_ change: (inout Configuration) -> Void) -> String? {
            var fleet = Fleet.equal(2)
            change(&fleet)
            return JournalHead(
                gatewayVersion: "1", unixStart: .zero, configuration: fleet, seed: 1, start: .zero
            ).problem
        }
        #expect(problem { _ in } == nil)
        #expect(
            problem { $0.limits.queuedRequests = 1_048_577 }
                == "limits.queued_requests is 1048577, out of bounds: 0 to 1048576")
        #expect(
            problem { $0.limits.energyAccounts = 1 << 30 }
                == "limits.energy_accounts is 1073741824, out of bounds: 0 to 1048576")
        #expect(
            problem { $0.limits.rememberedPrefixes = 8_388_608 }
                == "limits.remembered_prefixes is 8388608, out of bounds: 0 to 4194304")
        #expect(
            problem { $0.affinity.tokensPerEndpoint = 1 << 40 }?
                .hasPrefix("affinity.tokens_per_endpoint is 1099511627776, out of") == true)
        #expect(
            problem {
                $0.modelCount = 300
                $0.tenants = Array(repeating: .init(), count: 300)
            }?.contains("300 tenants, 300 models; at most 65536 of each") == true)
        let longest = JournalHead(
            gatewayVersion: "1", unixStart: .zero, configuration: Fleet.equal(1), seed: 1,
            start: .zero, models: [String(repeating: "m", count: 17 << 20)])
        #expect(longest.problem?.contains("bytes, 16777216 at most") == true)
    }

    @Test func whatNoGatewayWouldSayIsRefusedWhereItStands() throws {
        func error(_ event: Scheduler.Event, at time: Int64 = 0) throws -> JournalError? {
            var journal = MemoryJournal(Fleet.equal(1), seed: 1)
            journal.record(.deadline, at: .zero, [])
            let record = UInt64(journal.bytes.count + JournalFormat.blockHeadBytes + 3)
            journal.record(event, at: MonotonicTime(nanoseconds: time), [])
            let error = try Outcome(replaying: journal.finish()).error
            #expect(error == nil || error?.offset == record)
            return error
        }
        let id = RequestID(1)
        #expect(try error(.progress([.init(request: id, outputTokens: 9)])) == nil)
        #expect(try error(.progress([.init(request: id, outputTokens: -1)])) != nil)
        #expect(try error(.setPowerLimits(PowerLimits(site: Watts(.nan)))) != nil)
        #expect(
            try error(.scraped(EndpointID(0), .init(running: .max, waiting: 0, at: .zero))) != nil)
        #expect(try error(.deadline, at: .max) != nil)
    }

    @Test func aRequestThatIsHereCannotArrive() throws {
        var journal = MemoryJournal(Fleet.equal(1), seed: 1)
        var bench = Bench(Fleet.equal(1))
        let actions = bench.send(.arrived(chat(1)))
        journal.record(.arrived(chat(1)), at: bench.now, actions)
        journal.record(.arrived(chat(1)), at: bench.now, actions)
        let error = try Outcome(replaying: journal.finish()).error
        #expect(error?.problem.contains("event 2 is the arrival of a request that is here") == true)
    }

    @Test func theEndSaysWhy() throws {
        for end in JournalEnd.allCases {
            var journal = MemoryJournal(Fleet.equal(1), seed: 1)
            journal.record(.deadline, at: .zero, [])
            #expect(try Outcome(replaying: journal.finish(end)).ending == .marked(end))
        }
    }
}
