import InferenceTypes
import Logging
import Testing

@testable import Gateway

@Suite struct RequestTableTests {
    private func shell() throws -> (Gateway, ReactorShell) {
        let gateway = try Gateway(
            GatewayFixture.minimal(), logger: Logger(label: "test"), seed: 1)
        return (gateway, ReactorShell(reactor: gateway.group.reactors[0], gateway: gateway))
    }

    @Test(arguments: [
        (0, 0, UInt32(0)), (1, 2, 3), (255, 0xFF_FFFF, .max), (0, 0xFF_FFFF, 0), (255, 0, 0),
        (7, 1_000, 0x8000_0000),
    ])
    func anIdentifierHoldsItsThreeParts(reactor: Int, slot: Int, generation: UInt32) {
        let id = RequestID(reactor: reactor, slot: slot, generation: generation)
        #expect(id.reactor == reactor)
        #expect(id.slot == slot)
        #expect(id.generation == generation)
    }

    /// An identifier has one byte for it: a 257th reactor would share the first one's.
    @Test(arguments: [(0, 4, 4), (3, 64, 3), (0, 512, 256), (1_000, 4, 256)])
    func noMoreReactorsThanIdentifiersTell(asked: Int, online: Int, count: Int) {
        #expect(RequestID.reactors(asked: asked, online: online) == count)
    }

    @Test func aLateActionNeverReachesTheNextRequestInItsPlace() throws {
        let (gateway, shell) = try shell()
        var table = RequestTable()
        let first = table.claim(shell)
        let late = first.id
        #expect(table.find(late) === first)
        table.release(first)
        #expect(table.find(late) == nil)
        let second = table.claim(shell)
        #expect(second === first)
        #expect(table.find(late) == nil)
        #expect(table.find(second.id) === second)
        withExtendedLifetime(gateway) {}
    }

    @Test func theGenerationWrapsAround() throws {
        let (gateway, shell) = try shell()
        var table = RequestTable()
        let exchange = table.claim(shell)
        exchange.generation = .max
        let late = exchange.id
        table.release(exchange)
        let next = table.claim(shell)
        #expect(next.generation == 0)
        #expect(table.find(late) == nil)
        withExtendedLifetime(gateway) {}
    }

    @Test func placesAreReusedAndCounted() throws {
        let (gateway, shell) = try shell()
        var table = RequestTable()
        let claimed = (0..<5).map { _ in table.claim(shell) }
        #expect(claimed.map(\.slot) == [0, 1, 2, 3, 4])
        #expect(table.active == 5)
        table.release(claimed[3])
        table.release(claimed[3])
        #expect(table.active == 4)
        #expect(table.claim(shell).slot == 3)
        #expect(table.exchanges.count == 5)
        #expect(table.find(RequestID(reactor: 0, slot: 99, generation: 0)) == nil)
        withExtendedLifetime(gateway) {}
    }
}
