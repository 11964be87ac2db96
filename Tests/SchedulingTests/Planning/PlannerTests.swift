import EnergyModel
import InferenceTypes
import Testing

@testable import Scheduling

/// Chat of 1 155 input and 211 output tokens on endpoints that can sleep.
struct PlannerTests {
    /// Plays plans second by second; endpoints follow at once, waking takes no time here.
    private struct Stage {
        var planner: Planner
        var input: PlanningInput
        var now = MonotonicTime.zero
        var plan = Plan(awake: [])
        var promise = TimeSpan.milliseconds(60)

        init(_ configuration: Configuration) {
            planner = Planner(configuration)
            input = PlanningInput(
                endpoints: configuration.endpoints.map { _ in
                    .init(
                        power: .awake, since: .zero, isSound: true, sequences: 0,
                        queuedPrefill: .zero)
                }, demands: Array(repeating: Demand(), count: configuration.modelCount),
                waiting: 0)
        }

        mutating func play(_ rate: Double, seconds: Int, model: Int = 0) {
            for _ in 0..<seconds {
                now = now + .seconds(1)
                let count = Int((rate * now.seconds).rounded()) - Int(
                    (rate * (now.seconds - 1)).rounded())
                input.demands[model].sequences += count
                input.demands[model].inputTokens += count * 1_155
                input.demands[model].outputTokens += count * 211
                input.demands[model].note(promised: promise, at: now)
                plan = planner.plan(input, at: now)
                for (index, isAwake) in plan.awake.enumerated() {
                    let state = isAwake ? PowerState.awake : .asleep
                    if input.endpoints[index].power != state {
                        input.endpoints[index].power = state
                        input.endpoints[index].since = now
                    }
                }
            }
        }

        var awake: Int { plan.awake.count { $0 } }
    }

    private func sleeping(_ configuration: Configuration) -> Configuration {
        var configuration = configuration
        for index in configuration.endpoints.indices {
            configuration.endpoints[index].canSleep = true
        }
        return configuration
    }

    @Test func theFluidModelGivesTheWorkedNumbers() {
        let load = FluidLoad(EndpointModel(profile: Profiles.h100, engine: .vllm))
        let demand = DemandRate(
            sequences: 6, inputTokens: 6 * 1_155, outputTokens: 6 * 211,
            interTokenLatency: .milliseconds(60))
        #expect(load.batch(for: demand, share: 1) == 15)
        #expect(near(load.power(for: demand, share: 1).value, 431, within: 0.01))
        // Prefill alone stops it at 0.62 x 22 000 / 1 155 = 11.8 requests per second.
        #expect(near(load.largestShare(of: demand * 10), 11.81 / 60, within: 0.01))
        #expect(load.largestShare(of: demand) == 1)
        #expect(load.largestShare(of: DemandRate()) == 1)
    }

    @Test func atLowTideOneStaysAwakeAndTheRestSleepOnceThatPays() {
        var stage = Stage(sleeping(Fleet.equal(6)))
        stage.play(2, seconds: 20)
        // 3 600 J / 96 W = 37.5 s have not passed.
        #expect(stage.awake == 6)
        stage.play(2, seconds: 60)
        #expect(stage.awake == 1)
        #expect(stage.plan.drainable.count == 5)
        #expect(stage.plan.drainable.allSatisfy { near($0.saving.value, 96) })
    }

    @Test func aRisingTideIsMetBeforeItIsThere() {
        var stage = Stage(sleeping(Fleet.equal(6)))
        stage.play(2, seconds: 120)
        for rate in 3...30 {
            stage.play(Double(rate), seconds: 20)
            // 11.8 requests per second is what one carries.
            #expect(Double(stage.awake) * 11.8 >= min(Double(rate) * 1.5, 6 * 11.8))
        }
    }

    @Test func aCrowdIsSeenWithinSeconds() {
        var stage = Stage(sleeping(Fleet.equal(6)))
        stage.play(10, seconds: 200)
        let before = stage.awake
        stage.play(30, seconds: 4)
        #expect(before <= 3)
        #expect(stage.awake >= 5)
    }

    @Test func aSteadyLoadLeavesTheFleetAsItIs() {
        for rate in [1.0, 5.5, 5.9, 11.8, 12, 17] {
            var stage = Stage(sleeping(Fleet.equal(6)))
            stage.play(rate, seconds: 300)
            let settled = stage.plan.awake
            var changes = 0
            for _ in 0..<300 {
                stage.play(rate, seconds: 1)
                changes += stage.plan.awake == settled ? 0 : 1
            }
            #expect(changes == 0)
        }
    }

    @Test func aGapThatNobodyCanKeepPutsNoLoadedFleetToSleep() {
        var stage = Stage(sleeping(Fleet.equal(6)))
        stage.promise = .milliseconds(1)
        stage.play(30, seconds: 300)
        #expect(stage.awake >= 3)
    }

    /// Half as fast as the profile says: twice as many are needed.
    @Test func whatWasLearnedSizesTheFleet() {
        var stage = Stage(sleeping(Fleet.equal(6)))
        stage.play(10, seconds: 200)
        let believed = stage.awake
        var slow = Profiles.h100
        slow.prefillTokensPerSecond /= 2
        for index in slow.knots.indices {
            slow.knots[index].iterationTime = TimeSpan(
                seconds: slow.knots[index].iterationTime.seconds * 2)
        }
        stage.input.models = Array(repeating: EndpointModel(profile: slow, engine: .vllm), count: 6)
        stage.play(10, seconds: 200)
        #expect(stage.awake >= 2 * believed - 1)
        #expect(stage.awake > believed)
    }

    @Test func oneTightPromiseIsForgottenAfterAWhile() {
        var demand = Demand()
        demand.note(promised: .milliseconds(10), at: .zero)
        demand.note(promised: .milliseconds(60), at: .zero + .seconds(599))
        #expect(demand.interTokenLatency == .milliseconds(10))
        demand.note(promised: .milliseconds(60), at: .zero + .seconds(600))
        #expect(demand.interTokenLatency == .milliseconds(60))
        demand.note(promised: .milliseconds(20), at: .zero + .seconds(601))
        #expect(demand.interTokenLatency == .milliseconds(20))
    }

    @Test func whereNothingCanSleepItOnlyAdvises() {
        var stage = Stage(Fleet.equal(3))
        stage.play(2, seconds: 120)
        #expect(stage.awake == 3)
        #expect(stage.plan.required == 1)
        let drainable = stage.plan.drainable
        #expect(drainable.map(\.endpoint) == [EndpointID(1), EndpointID(2)])
        #expect(drainable.allSatisfy { $0.since < .zero + .seconds(10) })
    }

    @Test func everyModelKeepsAnEndpoint() {
        var configuration = sleeping(Fleet.unlike())
        configuration.modelCount = 2
        configuration.pools[1].models = [ModelID(1)]
        configuration.pools[2].models = [ModelID(1)]
        var stage = Stage(configuration)
        stage.play(0, seconds: 200)
        #expect(stage.awake == 2)
        #expect(stage.plan.awake[0] != stage.plan.awake[1])
    }

    @Test func endpointsThatFailDoNotCount() {
        var stage = Stage(sleeping(Fleet.equal(3)))
        stage.play(2, seconds: 120)
        #expect(stage.plan.awake == [true, false, false])
        stage.input.endpoints[0].isSound = false
        stage.play(2, seconds: 2)
        // The failed one is left as it is, and one that sleeps is not woken for nothing.
        #expect(stage.plan.awake == [true, true, false])
        stage.input.endpoints[2].isSound = false
        stage.play(2, seconds: 2)
        #expect(stage.plan.awake == [true, true, false])
    }

    @Test func thePlanIsAFunctionOfWhatItWasTold() {
        var one = Stage(sleeping(Fleet.unlike()))
        var other = Stage(sleeping(Fleet.unlike()))
        for rate in [3.0, 14, 1, 30] {
            one.play(rate, seconds: 60)
            other.play(rate, seconds: 60)
            #expect(one.plan == other.plan)
        }
    }

    @Test func oneOddSampleMovesTheForecastLittle() {
        var forecast = RateForecast()
        var random = RandomSource(seed: 1)
        for _ in 0..<300 { forecast.add(90 + 20 * random.nextUnit(), interval: 1) }
        let before = forecast.level ?? 0
        #expect(near(before, 100, within: 0.05))
        forecast.add(10_000, interval: 1)
        #expect(near(forecast.level ?? 0, before, within: 0.05))
    }
}
