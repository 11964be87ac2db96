import Foundation
import Gateway
import Glibc
import InferenceTypes

/// The demo's terminal: a live line once a second, single keys (or lines, where standard input is
/// no terminal) to steer.
final class DemoConsole {
    private let gateway: Gateway
    private let fleet: DemoFleet
    private let isTerminal = isatty(STDIN_FILENO) == 1
    private var saved = termios()
    /// The last few seconds, oldest first: meters tick once a second, so joules per token are
    /// taken over all of them.
    private var history: [GatewayStatus]
    private var quits = false

    init(gateway: Gateway, fleet: DemoFleet) {
        self.gateway = gateway
        self.fleet = fleet
        history = [gateway.status()]
    }

    /// Returns on `q`, on SIGINT or SIGTERM, or after `seconds`.
    func run(seconds: Int?) {
        if isTerminal { enterKeyMode() }
        defer { if isTerminal { tcsetattr(STDIN_FILENO, TCSANOW, &saved) } }
        var elapsed = 0
        var isInputOpen = true
        while !quits, seconds.map({ elapsed < $0 }) ?? true, !StopSignals.arePending() {
            let end = Date().addingTimeInterval(1)
            while !quits, Date() < end {
                let wait = Int32(max(0, end.timeIntervalSinceNow) * 1000)
                guard isInputOpen else {
                    usleep(UInt32(wait) * 1000)
                    continue
                }
                var poller = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                if poll(&poller, 1, wait) > 0 { isInputOpen = readCommands() }
            }
            elapsed += 1
            showLine()
        }
        print("")
    }

    private func enterKeyMode() {
        tcgetattr(STDIN_FILENO, &saved)
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
    }

    // MARK: Commands

    private func readCommands() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return false }
        for byte in buffer[..<count] {
            switch byte {
            case UInt8(ascii: "r"): use(.roundRobin)
            case UInt8(ascii: "e"): use(.energyAware)
            case UInt8(ascii: "q"): quits = true
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                say(fleet.toggle(Int(byte - UInt8(ascii: "1"))))
            default: break
            }
        }
        return true
    }

    private func use(_ policy: RoutingPolicy) {
        gateway.setPolicy(policy)
        say("policy \(policy.rawValue)")
    }

    private func say(_ text: String) { print("\r\u{1B}[K> \(text)") }

    // MARK: The line

    private func showLine() {
        let status = gateway.status()
        guard let before = history.last, let oldest = history.first else { return }
        history.append(status)
        if history.count > 6 { history.removeFirst() }
        let requests = status.requests - before.requests
        let tokens = Self.tokens(from: before, to: status)
        let cells = status.pools.map { pool in
            let watts = pool.power.map { "\(Int($0.value.rounded())) W" } ?? "no meter"
            let mark = pool.usable == pool.endpoints ? "" : " (\(pool.usable)/\(pool.endpoints) up)"
            return "\(pool.name) \(watts)\(mark)"
        }
        let recent = Self.tokens(from: oldest, to: status)
        let energy = Self.energy(from: oldest, to: status)
        let perToken =
            recent > 0 ? String(format: "%.2f J/token", energy / Double(recent)) : "- J/token"
        let line =
            "\(status.policy.rawValue)  \(requests) req/s  \(tokens) tok/s  "
            + cells.joined(separator: "  ") + "  \(perToken)"
        print(isTerminal ? "\r\u{1B}[K\(line)" : line, terminator: isTerminal ? "" : "\n")
        fflush(nil)
    }

    private static func tokens(from then: GatewayStatus, to now: GatewayStatus) -> Int {
        zip(now.pools, then.pools).reduce(0) { $0 + $1.0.outputTokens - $1.1.outputTokens }
    }

    /// Metered joules; a meter that began anew in between counts nothing.
    private static func energy(from then: GatewayStatus, to now: GatewayStatus) -> Double {
        zip(now.pools, then.pools).reduce(0) { sum, pair in
            guard let joules = pair.0.meteredEnergy, let earlier = pair.1.meteredEnergy else {
                return sum
            }
            return sum + max(0, joules.value - earlier.value)
        }
    }
}
