import InferenceTypes

@testable import Scheduling

/// A small replay: requests arrive at random times and end as predicted, in virtual time.
struct FleetReplay {
    var predicted = 0.0
    var dispatched = 0
    var broken: [String] = []

    private struct Ending {
        var time: MonotonicTime
        var id: RequestID
    }

    init(_ configuration: Configuration, requests: Int, meanGap: Double, seed: UInt64) {
        var bench = Bench(configuration, seed: seed)
        var random = RandomSource(seed: seed &+ 99)
        var endings: [Ending] = []
        var arrival = bench.now
        var next: UInt64 = 0
        while next < requests || !endings.isEmpty || bench.waiting() > 0 {
            let ahead = endings.first.map(\.time) ?? .distantFuture
            let coming = next < requests ? arrival : .distantFuture
            if let deadline = bench.scheduler.nextDeadline(), deadline < min(ahead, coming) {
                bench.now = max(bench.now, deadline)
                note(bench.send(.deadline), at: bench.now, &endings)
            } else if let first = endings.first, next >= requests || first.time <= arrival {
                endings.removeFirst()
                bench.now = max(bench.now, first.time)
                let actions = bench.send(
                    .finished(first.id, .init(outcome: .completed, usage: Usage())))
                note(actions, at: bench.now, &endings)
            } else {
                bench.now = max(bench.now, arrival)
                let bytes = 400 + random.nextIndex(below: 4_000)
                let output = 20 + random.nextIndex(below: 300)
                let request = chat(next, .interactive, bytes: bytes, output: output)
                note(bench.send(.arrived(request)), at: bench.now, &endings)
                next += 1
                let gap = -meanGap * Mathematics.log(1 - random.nextUnit())
                arrival = arrival + TimeSpan(seconds: gap)
            }
        }
        broken = bench.broken
    }

    private mutating func note(
        _ actions: [Action], at now: MonotonicTime, _ endings: inout [Ending]
    ) {
        for action in actions {
            guard let placement = action.placement, let id = action.requestID else { continue }
            predicted += placement.estimate.marginalEnergy.value
            dispatched += 1
            let ending = Ending(time: now + placement.estimate.duration, id: id)
            let position = endings.firstIndex { $0.time > ending.time } ?? endings.count
            endings.insert(ending, at: position)
        }
    }
}
