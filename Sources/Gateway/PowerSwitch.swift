import Configuration
import InferenceTypes
import Scheduling
import Synchronization
import Transport

/// The planner's latest word, for the pages that show it.
final class AdviceBoard: Sendable {
    private let plan = Mutex<Plan?>(nil)

    var latest: Plan? { plan.withLock { $0 } }

    func store(_ plan: Plan) { self.plan.withLock { $0 = plan } }
}

/// Plans which endpoints should be awake, and switches those whose pool allows it by the server's
/// own sleep mode: vLLM's development endpoints `/sleep`, `/wake_up` and `/is_sleeping`. It lives
/// on the control thread.
final class PowerSwitch {
    private unowned let plane: ControlPlane
    private var planner: Planner
    /// By endpoint: true while an order is on its way.
    private var isBusy: [Bool]
    /// By endpoint: asks again whether it is awake, and until when.
    private var pollers: [Timer] = []
    private var deadlines: [MonotonicTime]

    /// A server that has not woken after so many times its wake time is given up on.
    private static let wakePatience = 4.0
    private static let shortest = TimeSpan.seconds(60)
    private static let pollInterval = TimeSpan.milliseconds(250)

    init(plane: ControlPlane) {
        self.plane = plane
        let configuration = Scheduler.Configuration(plane.gateway.configuration)
        var settings = Planner.Configuration()
        settings.reserve = plane.gateway.configuration.planner.reserve
        settings.minimumOn = plane.gateway.configuration.planner.minimumOn
        planner = Planner(configuration, configuration: settings)
        isBusy = Array(repeating: false, count: configuration.endpoints.count)
        deadlines = Array(repeating: .zero, count: isBusy.count)
        pollers = isBusy.indices.map { index in
            Timer(on: plane.reactor) { [unowned self] in self.poll(EndpointID(index)) }
        }
    }

    var interval: TimeSpan { Planner.Configuration.defaults.interval }

    private var gateway: Gateway { plane.gateway }

    func plan() {
        let now = plane.reactor.now
        let plan = planner.plan(gateway.scheduler.planningInput(at: now), at: now)
        gateway.advice.store(plan)
        if canSwitch { plane.submit(.planned(plan)) }
    }

    private var canSwitch: Bool { gateway.configuration.pools.contains(where: \.sleepIsEnabled) }

    // MARK: Orders

    func sleep(_ id: EndpointID) {
        guard !isBusy[id.index] else { return }
        isBusy[id.index] = true
        fetch(id, "POST", "/sleep?level=1", timeout: Self.shortest) { [unowned self] outcome in
            var slept = false
            if case .answered(200, _) = outcome { slept = true }
            self.done(id, slept ? .asleep : .awake, "sleep")
        }
    }

    func wake(_ id: EndpointID) {
        guard !isBusy[id.index] else { return }
        isBusy[id.index] = true
        let profile = gateway.directory.pool(gateway.directory.endpoints[id.index].pool).profile
        let patience = TimeSpan(
            seconds: max(profile.wakeTime.seconds * Self.wakePatience, Self.shortest.seconds))
        deadlines[id.index] = plane.reactor.now + patience
        fetch(id, "POST", "/wake_up", timeout: patience) { [unowned self] outcome in
            guard case .answered(200, _) = outcome else {
                self.done(id, .asleep, "wake_up")
                return
            }
            self.poll(id)
        }
    }

    func close() {
        for poller in pollers { poller.disarm() }
    }

    /// Some servers answer when they are awake, some at once: the server's own word decides.
    private func poll(_ id: EndpointID) {
        ask(id) { [unowned self] isAsleep in
            if isAsleep == false {
                self.done(id, .awake, "wake_up")
            } else if self.plane.reactor.now >= self.deadlines[id.index] {
                self.done(id, .asleep, "wake_up")
            } else {
                self.pollers[id.index].arm(after: Self.pollInterval)
            }
        }
    }

    private func done(_ id: EndpointID, _ state: PowerState, _ order: String) {
        isBusy[id.index] = false
        let wanted: PowerState = order == "sleep" ? .asleep : .awake
        if state != wanted {
            gateway.logger.warning(
                "an endpoint did not follow",
                metadata: [
                    "endpoint": "\(gateway.directory.endpoints[id.index].name)",
                    "order": "\(order)",
                ])
        }
        plane.submit(.powerStateChanged(id, state))
    }

    // MARK: What the servers say

    /// Somebody else may have put a server to sleep, or woken it.
    func check() {
        let states = gateway.scheduler.planningInput(at: plane.reactor.now).endpoints.map(\.power)
        for endpoint in gateway.directory.endpoints
        where gateway.directory.pool(endpoint.pool).sleepIsEnabled {
            let id = endpoint.id
            let state = states[id.index]
            guard !isBusy[id.index], state == .awake || state == .asleep else { continue }
            ask(id) { [unowned self] isAsleep in
                guard let isAsleep, !self.isBusy[id.index], isAsleep == (state == .awake) else {
                    return
                }
                self.plane.submit(.powerStateChanged(id, isAsleep ? .asleep : .awake))
            }
        }
    }

    /// `nil`: it did not say.
    private func ask(_ id: EndpointID, _ completion: @escaping (Bool?) -> Void) {
        fetch(id, "GET", "/is_sleeping", timeout: .seconds(5)) { outcome in
            guard case .answered(200, let body) = outcome else {
                completion(nil)
                return
            }
            completion(Self.isSleeping(body))
        }
    }

    /// `{"is_sleeping": true}`, with white space anywhere; `nil` if it is neither.
    static func isSleeping(_ body: [UInt8]) -> Bool? {
        let text = String(decoding: body.prefix(256).filter { $0 > 32 }, as: UTF8.self)
        return switch text {
        case "{\"is_sleeping\":true}": true
        case "{\"is_sleeping\":false}": false
        default: nil
        }
    }

    private func fetch(
        _ id: EndpointID, _ method: StaticString, _ path: String, timeout: TimeSpan,
        completion: @escaping (ControlFetch.Outcome) -> Void
    ) {
        let endpoint = gateway.directory.endpoints[id.index]
        _ = ControlFetch(
            pool: plane.pool(of: id), authority: endpoint.authority,
            path: endpoint.pathPrefix + path, method: method, timeout: timeout,
            completion: completion)
    }
}
