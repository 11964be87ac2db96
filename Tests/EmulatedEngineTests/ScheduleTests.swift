import EmulatedEngine
import InferenceTypes
import Testing

/// Random schedules: what must hold whatever happens.
@Suite struct ScheduleTests {
    enum Command {
        case submit(EngineRequest)
        case cancel(UInt64)
    }

    struct Schedule {
        var engine: EmulatedEngine
        var commands: [(at: MonotonicTime, command: Command)] = []
        var requests = 0

        init(seed: UInt64) {
            var random = RandomSource(seed: seed)
            let kinds: [(Profile, EngineKind)] = [
                (EngineFixtures.gpu, .vllm), (EngineFixtures.npu, .vllmRBLN),
                (EngineFixtures.flat, .llamaServer), (EngineFixtures.h100, .sglang),
                (EngineFixtures.classifier, .vllmRBLN),
            ]
            let (profile, kind) = kinds[random.nextIndex(below: kinds.count)]
            var options = EngineOptions()
            options.maxSequences = 1 + random.nextIndex(below: 12)
            options.kvBlockTokens = 16
            options.kvBlocks = 12 + random.nextIndex(below: 60)
            options.maxBatchedTokens = 32 + random.nextIndex(below: 200)
            options.maxModelLength = 400
            if random.nextIndex(below: 3) == 0 { options.maxWaiting = 5 }
            if random.nextIndex(below: 3) == 0 { options.noise = 0.1 }
            if random.nextIndex(below: 2) == 0 { options.reporting = .firstToken }
            engine = EmulatedEngine(profile: profile, kind: kind, seed: seed, options: options)

            var now = MonotonicTime.zero
            for id in 1...UInt64(60) {
                now = now + .microseconds(Int64(random.nextIndex(below: 60_000)))
                if random.nextIndex(below: 4) == 0 { now = now + .seconds(1) }
                let task = random.nextIndex(below: 5) == 0 ? EngineTask.embed : .generate
                let input = 1 + random.nextIndex(below: 180)
                let request = EngineRequest(
                    id: id, task: task, inputTokens: input,
                    cachedTokens: random.nextIndex(below: 2) * (input / 2),
                    outputTokens: random.nextIndex(below: 120),
                    finishReason: random.nextIndex(below: 2) == 0 ? .stop : .length)
                commands.append((now, .submit(request)))
                requests += 1
                if random.nextIndex(below: 4) == 0 {
                    let victim = 1 + UInt64(random.nextIndex(below: Int(id)))
                    commands.append((now + .milliseconds(1), .cancel(victim)))
                    now = now + .milliseconds(1)
                }
            }
        }

        mutating func apply(_ command: Command, at now: MonotonicTime) -> Double? {
            switch command {
            case .submit(let request): engine.submit(request, at: now)
            case .cancel(let id): return engine.cancel(id, at: now)?.total.value
            }
            return nil
        }
    }

    static let horizon = MonotonicTime.zero + .seconds(10_000)

    @Test(arguments: 1...60)
    func everyRequestEndsExactlyOnce(seed: UInt64) {
        var schedule = Schedule(seed: seed)
        var output: [EngineOutput] = []
        var cancelled = 0
        var attributed = 0.0
        for (at, command) in schedule.commands {
            if let energy = schedule.apply(command, at: at) {
                cancelled += 1
                attributed += energy
            }
            let limit = schedule.engine.maxSequences
            #expect(schedule.engine.running <= limit)
            #expect(schedule.engine.kvUsage <= 1)
        }
        schedule.engine.advance(to: Self.horizon, into: &output)
        var ended: Set<UInt64> = []
        var tokens = 0
        for case .tokens(_, _, let count, _) in output { tokens += count }
        for item in output {
            switch item {
            case .finished(let id, _, _, let energy):
                #expect(ended.insert(id).inserted)
                attributed += energy.total.value
            case .rejected(let id, _, _): #expect(ended.insert(id).inserted)
            case .started, .tokens, .awake: break
            }
        }
        #expect(ended.count + cancelled == schedule.requests)
        #expect(schedule.engine.running == 0)
        #expect(schedule.engine.waiting == 0)
        #expect(schedule.engine.kvUsage == 0)
        if schedule.engine.options.reporting == .everyToken {
            #expect(tokens == schedule.engine.counters.generationTokens)
        }
        // Idle + prefill + decode == total, and the busy part is somebody's to the last joule.
        let states = schedule.engine.energyByState(upTo: Self.horizon)
        let total = schedule.engine.energy(upTo: Self.horizon)
        #expect(states.total == total)
        let busy = states.prefill.value + states.decode.value
        let booked = attributed + schedule.engine.unattributedEnergy.value
        #expect(isClose(busy, booked, relative: 1e-9))
    }

    @Test(arguments: 1...20)
    func smallStepsEqualOneBigStep(seed: UInt64) {
        var big = Schedule(seed: seed)
        var small = Schedule(seed: seed)
        for (at, command) in big.commands { _ = big.apply(command, at: at) }
        var bigOutput: [EngineOutput] = []
        big.engine.advance(to: Self.horizon, into: &bigOutput)

        var smallOutput: [EngineOutput] = []
        var now = MonotonicTime.zero
        for (at, command) in small.commands {
            while now < at {
                now = min(at, now + .microseconds(3_337))
                small.engine.advance(to: now, into: &smallOutput)
                // Twice must do no harm.
                small.engine.advance(to: now, into: &smallOutput)
            }
            _ = small.apply(command, at: at)
        }
        while let next = small.engine.nextEvent() {
            small.engine.advance(to: next, into: &smallOutput)
        }
        small.engine.advance(to: Self.horizon, into: &smallOutput)
        #expect(bigOutput == smallOutput)
        #expect(big.engine.counters == small.engine.counters)
        let energies = [big, small].map { $0.engine.energyByState(upTo: Self.horizon) }
        #expect(energies[0] == energies[1])
    }

    @Test(arguments: [3, 14, 15])
    func sameSeedSameOutputs(seed: UInt64) {
        var runs: [[EngineOutput]] = []
        for _ in 0..<2 {
            var schedule = Schedule(seed: seed)
            for (at, command) in schedule.commands { _ = schedule.apply(command, at: at) }
            runs.append(schedule.engine.drain())
        }
        #expect(runs[0] == runs[1])
        #expect(!runs[0].isEmpty)
    }

    @Test(arguments: 61...80)
    func energyIsTheIntegralOfPower(seed: UInt64) {
        var schedule = Schedule(seed: seed)
        for (at, command) in schedule.commands { _ = schedule.apply(command, at: at) }
        // Constant between events: a sum of rectangles is exact.
        var sum = 0.0
        var output: [EngineOutput] = []
        var now = schedule.commands.last?.at ?? .zero
        schedule.engine.advance(to: now, into: &output)
        let before = schedule.engine.energy(upTo: now).value
        while let next = schedule.engine.nextEvent() {
            sum += schedule.engine.power(at: now).value * (next - now).seconds
            schedule.engine.advance(to: next, into: &output)
            now = next
        }
        let after = schedule.engine.energy(upTo: now).value
        #expect(isClose(after - before, sum, relative: 1e-4))
    }
}
