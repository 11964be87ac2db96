import Glibc
import InferenceTypes
import Synchronization
import Testing

@testable import Transport

@Suite(.serialized) struct ReactorTests {
    /// Timers of one reactor, and the order in which they went off.
    private final class Clocks {
        var timers: [Timer] = []
    }

    @Test func timersFireInOrder() throws {
        let group = try ReactorGroup(count: 1)
        let log = EventLog()
        group.start()
        group.reactors[0].post { reactor in
            let clocks = Clocks()
            reactor.context = clocks
            func timer(_ name: String) -> Timer {
                let timer = Timer(on: reactor) { log.note(name) }
                clocks.timers.append(timer)
                return timer
            }
            timer("30").arm(after: .milliseconds(30))
            timer("10").arm(after: .milliseconds(10))
            timer("20").arm(after: .milliseconds(20))
            timer("20 too").arm(after: .milliseconds(20))
            // Moved later and earlier, more than once, and stopped.
            let later = timer("40")
            for wait in [5, 15, 40] { later.arm(after: .milliseconds(Int64(wait))) }
            let sooner = timer("15")
            for wait in [500, 50, 15] { sooner.arm(after: .milliseconds(Int64(wait))) }
            let never = timer("never")
            never.arm(after: .milliseconds(5))
            never.disarm()
            let again = timer("25")
            again.arm(after: .milliseconds(5))
            again.disarm()
            again.arm(after: .milliseconds(25))
        }
        #expect(eventually { log.all.count == 7 })
        usleep(30_000)
        #expect(log.all == ["10", "15", "20", "20 too", "25", "30", "40"])
        group.stop()
        group.join()
    }

    @Test func timersAreNeitherEarlyNorLate() throws {
        let group = try ReactorGroup(count: 1)
        let log = EventLog()
        group.start()
        let start = group.reactors[0].sync { reactor in
            let clocks = Clocks()
            reactor.context = clocks
            let timer = Timer(on: reactor) { log.note("fired") }
            clocks.timers.append(timer)
            timer.arm(after: .microseconds(2_500))
            return reactor.now
        }
        #expect(eventually { log.count(of: "fired") == 1 })
        let fired = try #require(log.time(of: "fired"))
        let began = try #require(start)
        #expect(fired - began >= .microseconds(2_500))
        // The machine is shared: only a lost wake-up would take this long.
        #expect(fired - began < .milliseconds(250))
        group.stop()
        group.join()
    }

    @Test func mailFromManyThreadsArrivesOnceAndInOrder() throws {
        final class Counter {
            var last = [Int](repeating: -1, count: 8)
            var count = 0
            var isOrdered = true
        }
        let group = try ReactorGroup(count: 1)
        let reactor = group.reactors[0]
        reactor.context = Counter()
        group.start()
        let threads = (0..<8).compactMap { sender in
            Thread.start(name: "sender") {
                for number in 0..<2_000 {
                    reactor.post { reactor in
                        guard let counter = reactor.context as? Counter else { return }
                        counter.isOrdered = counter.isOrdered && counter.last[sender] < number
                        counter.last[sender] = number
                        counter.count += 1
                    }
                }
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        let result = reactor.sync { reactor in
            (reactor.context as? Counter).map { [$0.count, $0.isOrdered ? 1 : 0] }
        }
        #expect(result == [16_000, 1])
        group.stop()
        group.join()
    }

    @Test func twoReactorsGetTwoConnections() throws {
        let server = try TestServer(reactors: 2)
        let clients = try (0..<4).map { _ in try server.client() }
        let places = clients.map { $0.get("/reactor")?.text ?? "" }
        #expect(places.count { $0 == "0" } == 2)
        #expect(places.count { $0 == "1" } == 2)
        // Those that leave make room where they were.
        for (client, place) in zip(clients, places) where place == "0" { client.close() }
        #expect(eventually { server.openConnections == 2 })
        let more = try (0..<2).map { _ in try server.client() }
        #expect(more.map { $0.get("/reactor")?.text } == ["0", "0"])
    }

    @Test func connectionsBeyondTheLimitAreClosed() throws {
        let server = try TestServer { $0.connections = 2 }
        let one = try server.client()
        let two = try server.client()
        #expect(one.get("/x")?.status == 200)
        #expect(two.get("/x")?.status == 200)
        let three = try server.client()
        #expect(three.isClosedByPeer())
        one.close()
        #expect(eventually { server.openConnections == 1 })
        #expect(try server.client().get("/x")?.status == 200)
    }

    @Test func addressesAreReadAndWritten() throws {
        #expect(SocketAddress(host: "127.0.0.1", port: 80)?.description == "127.0.0.1:80")
        #expect(SocketAddress(host: "::1", port: 80)?.description == "[::1]:80")
        #expect(SocketAddress(host: "localhost", port: 80) == nil)
        #expect(SocketAddress(host: "", port: 80) == nil)
        let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
        let socket = try BoundSocket(address)
        #expect(socket.address.port != 0)
        #expect(throws: SystemError.self) { try BoundSocket(socket.address) }
        close(socket.descriptor)
    }
}
