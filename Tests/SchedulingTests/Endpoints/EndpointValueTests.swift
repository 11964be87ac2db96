import InferenceTypes
import Testing

@testable import Scheduling

private func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime.zero + TimeSpan(seconds: seconds)
}

@Suite struct CircuitBreakerTests {
    var random = RandomSource(seed: 7)

    @Test mutating func opensAfterFiveBadAnswersInARow() {
        var breaker = CircuitBreaker()
        for _ in 0..<4 {
            let opened = breaker.failed(.broken, isTrial: false, at: at(0), random: &random)
            #expect(!opened)
        }
        let closed = breaker.completed(isTrial: false, at: at(0))
        #expect(!closed)
        for failure in 0..<5 {
            let opened = breaker.failed(.broken, isTrial: false, at: at(1), random: &random)
            #expect(opened == (failure == 4))
        }
        #expect(!breaker.admits(at: at(5)))
        #expect(breaker.admits(at: at(1 + 5.5)))
    }

    @Test mutating func opensAfterTwoWithoutAnAnswer() {
        var breaker = CircuitBreaker()
        let first = breaker.failed(.unreachable, isTrial: false, at: at(0), random: &random)
        let second = breaker.failed(.unreachable, isTrial: false, at: at(0), random: &random)
        #expect(!first && second)
    }

    @Test mutating func aTruncatedRowIsNotClosedByItsGoodBeginnings() {
        var breaker = CircuitBreaker()
        var opened = false
        for _ in 0..<5 {
            _ = breaker.answered(isTrial: false, at: at(0))
            opened = breaker.failed(.broken, isTrial: false, at: at(0), random: &random)
        }
        #expect(opened)
    }

    @Test mutating func capacityAndClientErrorsNeverCount() {
        var breaker = CircuitBreaker()
        for verdict in [UpstreamFailure.Verdict.sound, .saturated] {
            for _ in 0..<1_000 {
                _ = breaker.failed(verdict, isTrial: false, at: at(0), random: &random)
            }
        }
        #expect(breaker.state == .closed)
    }

    @Test mutating func ejectionsDoubleUpToTheLongest() {
        var breaker = CircuitBreaker()
        var now = 0.0
        _ = breaker.failed(.unreachable, isTrial: false, at: at(now), random: &random)
        _ = breaker.failed(.unreachable, isTrial: false, at: at(now), random: &random)
        for expected in [5.0, 10, 20, 40, 80, 90, 90] {
            let length = ((breaker.opensUntil ?? at(0)) - at(now)).seconds
            #expect(length >= expected * 0.9 && length <= expected * 1.1)
            now += length
            let isTrial = breaker.placed()
            #expect(isTrial)
            #expect(!breaker.admits(at: at(now)))
            let opened = breaker.failed(.broken, isTrial: true, at: at(now), random: &random)
            #expect(opened)
        }
    }

    @Test mutating func onlyTheTrialDecides() {
        var breaker = CircuitBreaker()
        _ = breaker.failed(.unreachable, isTrial: false, at: at(0), random: &random)
        _ = breaker.failed(.unreachable, isTrial: false, at: at(0), random: &random)
        let late = breaker.answered(isTrial: false, at: at(1))
        #expect(!late)
        _ = breaker.placed()
        let other = breaker.failed(.broken, isTrial: false, at: at(7), random: &random)
        #expect(!other && breaker.state == .trial)
        breaker.trialAbandoned()
        #expect(breaker.state == .idleTrial && breaker.admits(at: at(7)))
        let again = breaker.placed()
        let closed = breaker.answered(isTrial: true, at: at(8))
        #expect(again && closed && breaker.state == .closed)
    }
}

@Suite struct SmallEndpointValueTests {
    @Test func probesNeedARow() {
        var health = ProbeHealth()
        #expect(health.isUsable)
        var came: [Bool] = []
        for healthy in [false, false, true, false, false] {
            came.append(health.observe(healthy: healthy))
        }
        #expect(health.isUsable)
        came.append(health.observe(healthy: false))
        #expect(health.state == .unhealthy)
        came.append(health.observe(healthy: true))
        #expect(health.state == .unhealthy)
        came.append(health.observe(healthy: true))
        #expect(health.state == .healthy)
        #expect(came == [false, false, false, false, false, false, false, true])
    }

    @Test func restHonoursRetryAfterWithinBounds() {
        var rest = SaturationRest()
        #expect(rest.isOver(at: at(0)))
        rest.saturated(retryAfter: .seconds(3), at: at(0))
        #expect(rest.until == at(3))
        rest.saturated(retryAfter: .never, at: at(0))
        #expect(rest.until == at(60))
        rest = SaturationRest()
        rest.saturated(retryAfter: TimeSpan(nanoseconds: .min), at: at(0))
        #expect(rest.until == at(0.25))
    }

    @Test func restDoublesOncePerPause() {
        var rest = SaturationRest()
        var now = at(0)
        for expected in [0.25, 0.5, 1, 2, 4, 5, 5] {
            rest.saturated(retryAfter: nil, at: now)
            rest.saturated(retryAfter: nil, at: now)
            #expect((rest.until - now).seconds == expected)
            now = rest.until
        }
        rest.answered()
        rest.saturated(retryAfter: nil, at: now)
        #expect((rest.until - now).seconds == 0.25)
    }

    @Test func slowStartRisesInAStraightLine() {
        var start = SlowStart()
        #expect(start.factor(at: at(0)) == 1 && start.end == nil)
        start.begin(at: at(100))
        #expect(start.factor(at: at(100)) == 0.1)
        #expect((start.factor(at: at(110)) - 0.55).magnitude < 1e-9)
        #expect(start.factor(at: at(120)) == 1 && start.isOver(at: at(120)))
        #expect(start.factor(at: at(90)) == 0.1)
    }

    @Test func foreignLoadIsWhatIsNotOurs() {
        var foreign = ForeignLoad(lifetime: .seconds(15))
        foreign.observe(.init(running: 12, waiting: 3, at: at(1)), own: 10)
        #expect(foreign.sequences(at: at(2)) == 5)
        foreign.observe(.init(running: 99, waiting: 0, at: at(0)), own: 0)
        #expect(foreign.sequences(at: at(16)) == 5)
        #expect(foreign.sequences(at: at(17)) == 0)
        foreign.observe(.init(running: .max, waiting: .max, at: at(3)), own: 0)
        #expect(foreign.sequences(at: at(3)) == 1 << 20)
        foreign.observe(.init(running: .min, waiting: -4, at: at(4)), own: 9)
        #expect(foreign.sequences(at: at(4)) == 0)
    }

    @Test func prefillQueuesAndDecays() {
        var backlog = PrefillBacklog(window: .seconds(8))
        backlog.placed(.milliseconds(400), at: at(0))
        backlog.placed(.milliseconds(400), at: at(0))
        #expect(backlog.queued(at: at(0.1)) == .milliseconds(700))
        #expect((backlog.utilisation(at: at(0)) - 0.1).magnitude < 1e-9)
        #expect((backlog.utilisation(at: at(8)) - 0.1 * 0.36788).magnitude < 1e-5)
        backlog.settled(.milliseconds(400), at: at(0.1))
        #expect(backlog.queued(at: at(0.1)) == .milliseconds(400))
        backlog.settled(.milliseconds(400), at: at(0.2))
        #expect(backlog.queued(at: at(0.2)) == .zero)
    }

    @Test func runningSetKeepsTheTightestPromise() {
        var set = RunningSet()
        let objectives: [TimeSpan?] = [
            .milliseconds(60), nil, .milliseconds(20), .milliseconds(60), .milliseconds(20),
        ]
        for (slot, objective) in objectives.enumerated() {
            _ = set.insert(
                slot: slot,
                RunningSet.Share(
                    sequences: 2, decodes: slot != 1, remainingTokens: 10,
                    interTokenObjective: objective))
        }
        #expect(set.totals.sequences == 10 && set.totals.decodingSequences == 8)
        set.setRemainingTokens(3, at: 0)
        #expect(set.totals.remainingTokens == 43)
        #expect(set.totals.tightestObjective == .milliseconds(20))
        let moved = set.remove(at: 2)
        #expect(moved == 4 && set.totals.tightestObjective == .milliseconds(20))
        _ = set.remove(at: 2)
        #expect(set.totals.tightestObjective == .milliseconds(60) && set.isConsistent)
        while set.totals.count > 0 { _ = set.remove(at: 0) }
        #expect(set.totals == RunningTotals() && set.isConsistent)
    }
}
