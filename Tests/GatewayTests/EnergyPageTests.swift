import EnergyModel
import Foundation
import InferenceTypes
import Telemetry
import Testing

@testable import Gateway

/// The scrape page's part on energy, against `Tests/Fixtures/metrics/energy.txt`.
@Suite struct EnergyPageTests {
    private func amounts(
        _ measured: Int64, _ modelled: Int64 = 0, _ assumed: Int64 = 0
    ) -> AccountTable.ByProvenance {
        var amounts = AccountTable.ByProvenance()
        amounts.measured = Microjoules(measured)
        amounts.modelled = Microjoules(modelled)
        amounts.assumed = Microjoules(assumed)
        return amounts
    }

    private func account(
        _ pool: Int, _ tenant: Int, _ serviceClass: ServiceClass,
        _ active: AccountTable.ByProvenance
    ) -> (key: AccountTable.Key, row: AccountTable.Row) {
        var row = AccountTable.Row()
        row.active = active
        // Not settled yet: shown once it is.
        row.pending = Microjoules(5_000_000)
        return (
            AccountTable.Key(
                pool: PoolID(pool), model: ModelID(0), tenant: TenantID(tenant),
                serviceClass: serviceClass), row
        )
    }

    private var statement: EnergyStatement {
        EnergyStatement(
            meters: [],
            accounts: [
                account(0, 0, .interactive, amounts(1_500_000)),
                account(0, 0, .bulk, amounts(250_001)),
                account(0, -1, .default, amounts(7, 2_000_000)),
                account(1, 0, .default, amounts(0, 0, 123_456_789_012)),
            ],
            idleByPool: [amounts(600_000_000), amounts(0, 0, 55_000_000)],
            unexplainedByPool: [amounts(0), amounts(0, 0, 1)])
    }

    @Test func thePageIsAsTheFixtureHasIt() throws {
        var builder = MetricRegistryBuilder()
        let instruments = GatewayInstruments(
            names: .init(pools: ["haein", "rebel"], models: ["ax"], tenants: ["t"]),
            version: "1", in: &builder)
        let registry = builder.build(shards: 1)
        let shown = EnergyByUse(
            pool: { ["haein", "rebel"][$0.index] }, model: { _ in "ax-4.0" },
            tenant: { $0 == .anonymous ? "anonymous" : "a-call" })
        let values = shown.values(of: statement)
        registry.provide(instruments.energy) { values }
        let lines = String(decoding: registry.render(), as: UTF8.self)
            .split(separator: "\n").filter { $0.contains("joulegate_energy_joules_total") }
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.dropLast(2).joined(separator: "/")
        let golden = try String(
            contentsOfFile: folder + "/Fixtures/metrics/energy.txt", encoding: .utf8)
        #expect(lines.joined(separator: "\n") + "\n" == golden)
    }
}
