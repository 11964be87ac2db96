import InferenceTypes
import Testing

@testable import EmulatedEngine

/// Idle 100 W, asleep 10 W; waking takes 1 s and 100 J. A decode step takes 10 ms at 300 W.
struct SleepTests {
    private func engine(_ options: EngineOptions = EngineOptions()) -> EmulatedEngine {
        EmulatedEngine(profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
    }

    private func at(_ seconds: Double) -> MonotonicTime { .zero + TimeSpan(seconds: seconds) }

    @Test func asleepItDrawsSleepPowerAndWakingItsWakeEnergy() {
        var engine = engine()
        let slept1 = engine.sleep(at: at(2))
        #expect(slept1)
        #expect(engine.power(at: at(3)) == Watts(10))
        let woke2 = engine.wake(at: at(12))
        #expect(woke2)
        #expect(engine.power(at: at(12.5)) == Watts(100))
        #expect(engine.nextEvent() == at(13))
        // Before anybody advanced it beyond the end of waking, too.
        let early = engine.energyByState(upTo: at(15))
        #expect(engine.advance(to: at(15)) == [.awake(at: at(13))])
        let energy = engine.energyByState(upTo: at(15))
        #expect(energy == early)
        #expect(isClose(energy.idle.value, 400))
        #expect(isClose(energy.sleep.value, 100))
        #expect(isClose(energy.wake.value, 100))
        #expect(isClose(energy.total.value, 600))
    }

    @Test func whatIsSubmittedMeanwhileWaitsUntilItIsAwake() throws {
        var engine = engine()
        let slept3 = engine.sleep(at: at(1))
        #expect(slept3)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 2), at: at(2))
        #expect(engine.nextEvent() == nil)
        #expect(engine.advance(to: at(5)).isEmpty)
        #expect(engine.waiting == 1)
        let woke4 = engine.wake(at: at(6))
        #expect(woke4)
        engine.submit(EngineRequest(id: 2, inputTokens: 100, outputTokens: 2), at: at(6.5))
        let output = engine.drain()
        #expect(output.first == .awake(at: at(7)))
        #expect(output.dropFirst().first == .started(id: 1, at: at(7)))
        // Both prompts are computed in the first step: 200 / 10 000 s.
        #expect(isClose(try #require(output.tokenTimes(of: 2).first), 7.02))
        #expect(isClose(try #require(output.end(of: 1)).at, 7.03))
    }

    @Test func anEngineWithWorkStaysAwake() {
        var engine = engine()
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 50), at: at(1))
        let slept5 = engine.sleep(at: at(1))
        #expect(!slept5)
        let slept6 = engine.sleep(at: at(1.2))
        #expect(!slept6)
        _ = engine.drain()
        let slept7 = engine.sleep(at: at(2))
        #expect(slept7)
        let slept8 = engine.sleep(at: at(2))
        #expect(!slept8)
        let woke9 = engine.wake(at: at(3))
        #expect(woke9)
        let woke10 = engine.wake(at: at(3.5))
        #expect(!woke10)
        let slept11 = engine.sleep(at: at(3.5))
        #expect(!slept11)
        let slept12 = engine.sleep(at: at(4))
        #expect(slept12)
    }

    @Test func aCancelledRequestDoesNotWaitForTheEngineToWake() {
        var engine = engine()
        let slept13 = engine.sleep(at: at(1))
        #expect(slept13)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 2), at: at(2))
        #expect(engine.cancel(1, at: at(3)) != nil)
        let woke14 = engine.wake(at: at(4))
        #expect(woke14)
        #expect(engine.drain() == [.awake(at: at(5))])
        #expect(isClose(engine.energy(upTo: at(6)).value, 100 + 30 + 100 + 100))
    }

    @Test func theTruthMayDifferFromTheProfile() {
        var options = EngineOptions()
        options.timeFactor = 2
        options.powerFactor = 1.5
        var engine = engine(options)
        let slept15 = engine.sleep(at: .zero)
        #expect(slept15)
        let woke16 = engine.wake(at: at(10))
        #expect(woke16)
        #expect(engine.nextEvent() == at(12))
        let energy = engine.energyByState(upTo: at(12))
        #expect(isClose(energy.sleep.value, 150))
        #expect(isClose(energy.wake.value, 150))
    }

    /// Whatever happens, the energy is the integral of the power, which is constant between the
    /// instants at which something happens.
    @Test func energyIsTheIntegralOfPower() {
        for seed in 1...40 {
            var random = RandomSource(seed: UInt64(seed))
            var engine = engine()
            var now = MonotonicTime.zero
            var joules = 0.0
            for id in 1...UInt64(80) {
                let pause = Double(random.nextIndex(below: 2_000)) / 1_000
                let until = now + TimeSpan(seconds: pause)
                while now < until {
                    // A step begins a nanosecond before it is announced.
                    let next = min(max(engine.nextEvent() ?? until, now), until)
                    let stop = max(next, min(until, now + TimeSpan(nanoseconds: 1)))
                    joules += engine.power(at: now).value * (stop - now).seconds
                    now = stop
                    _ = engine.advance(to: now)
                }
                switch random.nextIndex(below: 4) {
                case 0: _ = engine.sleep(at: now)
                case 1: _ = engine.wake(at: now)
                case 2: engine.cancel(id - 1, at: now)
                default:
                    engine.submit(
                        EngineRequest(
                            id: id, inputTokens: 1 + random.nextIndex(below: 500),
                            outputTokens: 1 + random.nextIndex(below: 60)), at: now)
                }
                _ = engine.advance(to: now)
            }
            #expect(isClose(engine.energy(upTo: now).value, joules, relative: 1e-5))
            #expect(engine.energyByState(upTo: now).sleep > .zero)
        }
    }
}
