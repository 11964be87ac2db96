import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct EnergyLedgerTests {
    /// Arrivals, ends, closed windows, silences, returns, resets, repeated and late windows in any
    /// order: after each of them the books add up to the microjoule.
    @Test(arguments: 1...40)
    func theBooksAddUpWhateverHappens(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        var bench = LedgerBench(mostUnsettled: seed % 3 == 0 ? 2 : 1_000)
        var meter = Int64(0)
        var silentFrom: MonotonicTime?
        for step in 1...300 {
            bench.wait(random.nextUnit())
            switch random.nextIndex(below: 9) {
            case 0, 1, 2:
                bench.place(
                    UInt64(step), on: random.nextIndex(below: 2),
                    tenant: random.nextIndex(below: 4) - 1,
                    input: random.nextIndex(below: 2_000))
            case 3 where !bench.running.isEmpty:
                bench.firstToken(random.nextIndex(below: bench.running.count))
            case 4 where !bench.running.isEmpty:
                bench.end(
                    random.nextIndex(below: bench.running.count),
                    isAnswered: random.nextUnit() < 0.8)
            case 5:
                let joules = random.nextUnit() * 4_000
                if bench.close(LedgerBench.shared, joules: joules), silentFrom == nil {
                    meter += Microjoules(Joules(joules)).value
                }
                silentFrom = nil
            case 6:
                let start = bench.ledger.books[0].closedAt ?? .zero
                if bench.close(LedgerBench.shared, joules: 0, kind: .imputed) {
                    silentFrom = silentFrom ?? start
                }
            case 7 where silentFrom != nil:
                bench.close(
                    LedgerBench.shared, joules: random.nextUnit() * 9_000,
                    kind: random.nextUnit() < 0.5 ? .recovered : .conceded, from: silentFrom)
                silentFrom = nil
            default:
                bench.close(LedgerBench.host, joules: random.nextUnit() * 300)
                // The same once more, and one from long ago.
                let again = bench.close(LedgerBench.host, joules: 1, from: bench.now)
                let late = bench.close(LedgerBench.host, joules: 1, from: .zero - .seconds(1))
                #expect(!again && !late)
            }
            #expect(bench.ledger.imbalances == [])
            let books = bench.ledger.books
            #expect(books.allSatisfy { $0.unexplained.value >= 0 && $0.requests.value >= 0 })
            #expect(bench.ledger.accounts.entries.allSatisfy { $0.row.pending.value >= 0 })
        }
        #expect(bench.ledger.books[1].refused > 0)
    }

    @Test func metersAreCountedToTheMicrojoule() {
        var bench = LedgerBench()
        bench.place(1, on: 0, input: 0)
        bench.wait(5)
        bench.close(LedgerBench.shared, joules: 2_345.678_901)
        #expect(bench.ledger.books[0].total.value == 2_345_678_901)
        // Two cards' worth of idle power, as the profile has 120 W for each.
        #expect(bench.ledger.books[0].idle.value == 1_200_000_000)
        #expect(bench.charged[1] == 1_145_678_901)
    }

    @Test func theOrderOfRequestsChangesNothing() {
        var results: Set<[UInt64: Int64]> = []
        for order in [[1, 2, 3, 4, 5, 6, 7], [7, 3, 1, 6, 2, 5, 4], [4, 5, 6, 7, 1, 2, 3]] {
            var bench = LedgerBench()
            for id in order {
                bench.place(UInt64(id), on: id % 2, input: 0)
            }
            bench.wait(2)
            // Some end before the window closes.
            for id in order where id <= 3 {
                let position = bench.running.firstIndex { $0.id == UInt64(id) }
                if let position { bench.end(position) }
            }
            bench.wait(3)
            bench.close(LedgerBench.shared, joules: 3_000.000_001)
            results.insert(bench.charged)
        }
        #expect(results.count == 1)
    }

    @Test func requestsWithoutATokenAndWindowsWithoutARequestAreNobodysBurden() {
        var bench = LedgerBench()
        bench.place(1, on: 0, input: 0, decodes: false)
        bench.wait(5)
        bench.end(0)
        bench.close(LedgerBench.shared, joules: 1_500)
        #expect(bench.charged[1] == 0)
        #expect(bench.ledger.books[0].unexplained.value == 300_000_000)
        bench.wait(5)
        bench.close(LedgerBench.shared, joules: 1_000)
        #expect(bench.ledger.books[0].idle.value == 2_200_000_000)
        #expect(bench.ledger.imbalances == [])
    }

    /// A meter that never says a word: the books are the model's, and add up to its total.
    @Test func aSilentMeterIsTheModelsWord() {
        var bench = LedgerBench()
        var expected = 0.0
        for round in 0..<5 {
            bench.place(UInt64(round), on: round % 2, input: 0)
            bench.wait(2)
            if round > 1 { bench.end(0) }
            bench.close(LedgerBench.shared, joules: 0, kind: .imputed)
            expected += 2 * 120 * 2
        }
        var weights = 0.0
        for clock in bench.ledger.clocks {
            for (batch, count) in clock.activity.iterations.enumerated() {
                weights += count * bench.model.curve.energyAboveIdle(batch: batch).value
            }
            weights += clock.activity.kvTokenSteps * bench.model.kvEnergyPerStep
        }
        let book = bench.ledger.books[0]
        let difference = book.total.joules.value - expected - weights
        #expect(difference.magnitude < 1e-4)
        #expect(book.unexplained.value <= 5)
        #expect(book.pending == book.total)
        bench.close(LedgerBench.shared, joules: 0, kind: .conceded, from: .zero)
        #expect(bench.ledger.books[0].pending == .zero)
        #expect(bench.ledger.books[0].conceded == book.total)
        let rows = bench.ledger.accounts.entries.map(\.row)
        #expect(rows.allSatisfy { $0.pending == .zero })
        let modelled = rows.map(\.active.modelled.value).reduce(0, +)
        #expect(modelled == book.requests.value)
    }

    @Test func aCounterThatComesBackCorrectsTheSilence() {
        var bench = LedgerBench()
        bench.place(1, on: 0, tenant: 0, input: 0)
        bench.place(2, on: 1, tenant: 1, input: 0)
        bench.wait(10)
        bench.close(LedgerBench.shared, joules: 0, kind: .imputed)
        let imputed = bench.ledger.books[0]
        #expect(imputed.requests.value > 0)
        let truth = imputed.total.joules.value - 600
        bench.close(LedgerBench.shared, joules: truth, kind: .recovered, from: .zero)
        let book = bench.ledger.books[0]
        #expect(book.total == Microjoules(Joules(truth)))
        #expect(book.idle == imputed.idle)
        #expect(book.pending == .zero)
        #expect(bench.ledger.imbalances == [])
        let rows = bench.ledger.accounts.entries.map(\.row)
        #expect(rows.allSatisfy { $0.active.measured == $0.marginal })
        let difference = rows[0].marginal.value - rows[1].marginal.value
        #expect(difference.magnitude <= 1)
    }

    @Test func fullCostSharesIdlePowerByTimeAndItsGapsByUse() {
        var bench = LedgerBench()
        bench.place(1, on: 0, tenant: 0, input: 0)
        bench.wait(3)
        bench.place(2, on: 0, tenant: 1, input: 0)
        bench.wait(1)
        bench.end(0)
        bench.end(0)
        bench.wait(6)
        bench.close(LedgerBench.shared, joules: 4_000)
        // 120 W of this endpoint over 10 s, 4 of them busy: 480 J, by 4 s and 1 s of presence.
        #expect(bench.idled[1] == 384_000_000)
        #expect(bench.idled[2] == 96_000_000)
        let gaps = bench.ledger.accounts.entries.map(\.row.idleGap.value).reduce(0, +)
        #expect(gaps == 0)
        // Now that both have used something, they share what nobody was there for.
        bench.wait(10)
        bench.close(LedgerBench.shared, joules: 2_400)
        let later = bench.ledger.accounts.entries.map(\.row)
        #expect(later.map(\.idleGap.value).reduce(0, +) == 2_400_000_000)
        #expect(later[0].idleGap > later[1].idleGap)
        #expect(bench.ledger.imbalances == [])
    }

    @Test func largestRemaindersSplitToTheLastUnit() {
        var splitter = LargestRemainder()
        splitter.entries = [1, 2, 3].map { .init(weight: 1, key: $0) }
        #expect(splitter.split(100) == 0)
        #expect(splitter.entries.map(\.amount) == [34, 33, 33])
        splitter.entries = [.init(weight: 0, key: 1)]
        #expect(splitter.split(7) == 7)
        splitter.entries = [.init(weight: .max, key: 1), .init(weight: .max, key: 2)]
        #expect(splitter.split(.max) == 0)
        let half = Int64.max / 2
        #expect(splitter.entries.map(\.amount) == [half + 1, half])
    }

    @Test func tenantsBeyondTheTableShareAnAccount() {
        let table = AccountTable(pools: 2, models: 3, tenants: 1_000, most: 240)
        func row(_ tenant: Int, _ pool: Int = 1) -> Int {
            table.index(
                of: .init(
                    pool: PoolID(pool), model: ModelID(2), tenant: TenantID(tenant),
                    serviceClass: .bulk))
        }
        #expect(table.rows.count <= 240)
        #expect(Set([0, 1, 8].map { row($0) }).count == 3)
        #expect(row(9) == row(999) && row(9) == row(-1))
        #expect(row(0) != row(0, 0))
        let key = table.key(at: row(4))
        #expect(key.pool == PoolID(1) && key.model == ModelID(2))
        #expect(key.tenant == TenantID(4) && key.serviceClass == .bulk)
    }

    /// No profile tells what a host draws: the least that it was ever seen to draw is its idle
    /// power, and what it draws beyond goes to those who were there.
    @Test func aHostsShareIsChargedToWhoKeepsItBusy() {
        var bench = LedgerBench()
        bench.wait(5)
        bench.close(LedgerBench.host, joules: 250)
        #expect(bench.ledger.books[1].unexplained == Microjoules(250_000_000))
        bench.place(1, on: 1, input: 0)
        bench.place(2, on: 0, input: 0)
        bench.wait(5)
        bench.close(LedgerBench.host, joules: 400)
        #expect(bench.charged[1] == 150_000_000)
        #expect(bench.charged[2] == nil)
        bench.close(LedgerBench.shared, joules: 5_000)
        let figure = bench.ledger.figure(
            of: bench.running[0].work, on: 1, bench.model, at: bench.now)
        #expect(figure.scopes == [.accelerator, .host])
        #expect(bench.ledger.imbalances == [])
    }

    /// The figures of docs/energy-model.md, Attribution.
    @Test func theWorkedExampleHolds() {
        var bench = LedgerBench()
        bench.ledger.chargesContext = false
        bench.place(1, on: 0, input: 1_100)
        bench.wait(0.05)
        bench.firstToken(0)
        bench.wait(2)
        bench.place(2, on: 0, input: 0)
        bench.wait(1)
        bench.end(0)
        bench.wait(1.95)
        bench.close(LedgerBench.shared, joules: 2_400)
        let activity = bench.ledger.clocks[0].activity
        #expect((activity.iterations[1] - 577.4).magnitude < 0.1)
        #expect((activity.iterations[2] - 142.0).magnitude < 0.1)
        #expect((activity.prefillTokens - 1_100).magnitude < 0.1)
        #expect(bench.ledger.books[0].idle == Microjoules(1_200_000_000))
        #expect(bench.charged == [1: 616_483_319, 2: 583_516_681])
        #expect(bench.idled == [1: 305_000_000, 2: 295_000_000])
        #expect(bench.ledger.books[0].idleSpread == Microjoules(600_000_000))
        #expect((bench.ledger.books[0].calibration - 0.9636).magnitude < 1e-4)
    }

    /// A sleeper's silence is no lesson in idle power, and it is imputed less.
    @Test func anEndpointThatSleepsIsNotQuiet() {
        func imputed(asleep: Bool) -> (quiet: Bool, joules: Double) {
            var bench = LedgerBench()
            if asleep { bench.ledger.setAwake(since: nil, 0) }
            bench.wait(10)
            bench.close(LedgerBench.shared, joules: 0, kind: .imputed)
            bench.wait(10)
            let window = MeterWindow(
                meter: LedgerBench.shared, start: bench.now - .seconds(5), end: bench.now,
                energy: .zero, provenance: .measured)
            var shares = WindowShares()
            let activities = bench.ledger.close(
                window, &shares, models: bench.models, at: bench.now)
            return (activities[0].isQuiet, bench.ledger.books[0].total.joules.value)
        }
        #expect(imputed(asleep: false) == (true, 2_400))
        #expect(imputed(asleep: true) == (false, 1_200))
    }
}
