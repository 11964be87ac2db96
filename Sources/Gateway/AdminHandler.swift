import Configuration
import Foundation
import InferenceAPI
import InferenceTypes
import Scheduling
import Telemetry
import Transport
import WireProtocols

/// The admin listener: metrics, workers, policy and one page of figures. It has its own address
/// and its own key; nothing of it answers on the data port.
final class AdminHandler: ServerHandler {
    unowned let plane: ControlPlane
    var gateway: Gateway { plane.gateway }

    init(plane: ControlPlane) {
        self.plane = plane
        super.init()
    }

    override func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {
        answer(stream, refusal.status, ["error": "\(refusal)"])
    }

    /// The key is asked for before a byte of a body is taken in.
    override func head(_ stream: ServerStream) {
        guard !isAllowed(stream, path(of: stream)) else { return }
        answer(stream, 401, ["error": "an admin key is needed"])
    }

    private func path(of stream: ServerStream) -> String {
        String((stream.head.string(":path") ?? "").prefix { $0 != "?" })
    }

    override func request(_ stream: ServerStream) {
        let method = stream.head.string(":method") ?? ""
        let path = path(of: stream)
        switch (method, path) {
        case ("GET", "/metrics"):
            let page = gateway.registry.render()
            send(stream, 200, "text/plain; version=0.0.4; charset=utf-8", page)
        case ("GET", "/health"), ("GET", "/liveness"): answer(stream, 200, ["status": "ok"])
        case ("GET", "/readiness"): answerReadiness(stream)
        case ("GET", "/status"), ("GET", "/"): answer(stream, 200, status())
        case ("GET", "/energy"): answer(stream, 200, energy())
        case ("GET", "/advice"): answer(stream, 200, advice())
        case ("GET", "/workers"): answer(stream, 200, ["workers": workers()])
        case ("GET", "/classification"): answer(stream, 200, classificationPage())
        case ("PUT", "/policy"), ("POST", "/policy"): setPolicy(stream)
        case ("GET", "/power"): answerPower(stream)
        case ("PUT", "/power"), ("POST", "/power"): setPower(stream)
        default:
            if path.hasPrefix("/workers/") {
                worker(stream, method, String(path.dropFirst("/workers/".count)))
            } else if path.hasPrefix("/classification/") {
                classification(stream, method, String(path.dropFirst("/classification/".count)))
            } else {
                answer(stream, 404, ["error": "there is no \(path) here"])
            }
        }
    }

    /// Without a configured key the address is the protection (it is loopback by default). Health
    /// is open either way.
    private func isAllowed(_ stream: ServerStream, _ path: String) -> Bool {
        guard let key = gateway.configuration.admin.apiKeySHA256 else { return true }
        if ["/health", "/liveness", "/readiness"].contains(path) { return true }
        guard let expected = SHA256Digest(bytes: key.bytes),
            let digest = KeyRing.digest(in: stream.head, field: "authorization")
        else { return false }
        return digest.isEqual(to: expected)
    }

    /// The data ports close when a drain begins; here a load balancer can still ask.
    private func answerReadiness(_ stream: ServerStream) {
        if gateway.isDraining {
            answer(stream, 503, ["status": "draining"])
        } else if gateway.availability.load().isEmpty {
            answer(stream, 503, ["status": "no endpoints"])
        } else {
            answer(stream, 200, ["status": "ready"])
        }
    }

    // MARK: Workers

    private func workers() -> [[String: Any]] {
        let snapshot = gateway.scheduler.snapshot(at: plane.reactor.now)
        return snapshot.endpoints.map { endpoint in
            let entry = gateway.directory.endpoints[endpoint.id.index]
            let pool = gateway.directory.pool(endpoint.pool)
            return [
                "id": endpoint.id.index, "url": entry.authority, "pool": pool.name,
                "engine": pool.engine.rawValue, "profile": pool.profile.name,
                "models": pool.models.map { gateway.directory.modelName($0.model) },
                "state": endpoint.condition.rawValue,
                "is_healthy": endpoint.condition.takesRequests, "load": endpoint.inFlight,
                "foreign_load": endpoint.foreignSequences, "limit": endpoint.limit,
                "dispatched": endpoint.dispatched,
                "predicted_joules": endpoint.predictedEnergy.value,
            ]
        }
    }

    private func worker(_ stream: ServerStream, _ method: String, _ text: String) {
        guard let index = Int(text), let worker = workers().first(where: {
            $0["id"] as? Int == index
        }) else {
            answer(stream, 404, ["error": "there is no worker \(text)"])
            return
        }
        switch method {
        case "GET":
            answer(stream, 200, worker)
        case "POST", "PUT":
            guard let word = body(stream)["state"] as? String,
                let state = Scheduler.AdministrativeState(rawValue: word)
            else {
                let words = Scheduler.AdministrativeState.allCases.map(\.rawValue)
                answer(stream, 400, ["error": "'state' is one of \(words)"])
                return
            }
            plane.submit(.setEndpointState(EndpointID(index), state))
            answer(stream, 200, ["id": index, "state": state.rawValue])
        default:
            answer(stream, 405, ["error": "GET shows a worker, POST {\"state\"} changes it"])
        }
    }

    private func setPolicy(_ stream: ServerStream) {
        guard let name = body(stream)["policy"] as? String,
            let policy = RoutingPolicy(name: name)
        else {
            let names = RoutingPolicy.allCases.map(\.rawValue)
            answer(stream, 400, ["error": "'policy' is one of \(names)"])
            return
        }
        plane.submit(.setPolicy(policy))
        gateway.logger.notice("policy changed", metadata: ["policy": "\(policy.rawValue)"])
        answer(stream, 200, ["policy": policy.rawValue])
    }

    // MARK: Status

    private func status() -> [String: Any] {
        let status = gateway.status()
        let pools = status.pools.map { pool in
            var entry: [String: Any] = [
                "name": pool.name, "requests": pool.requests, "output_tokens": pool.outputTokens,
                "in_flight": pool.inFlight, "usable": pool.usable, "endpoints": pool.endpoints,
                "predicted_joules": pool.predictedEnergy.value,
            ]
            if let power = pool.power, let energy = pool.meteredEnergy {
                entry["watts"] = power.value
                entry["metered_joules"] = energy.value
                entry["power_provenance"] = pool.provenance.rawValue
            }
            return entry
        }
        return [
            "version": Gateway.version, "policy": status.policy.rawValue, "pools": pools,
            "requests": status.requests, "errors": status.errors,
            "in_flight": status.inFlight, "draining": status.isDraining, "queued": status.queued,
        ]
    }

    // MARK: Wire

    func body(_ stream: ServerStream) -> [String: Any] {
        let object = try? JSONSerialization.jsonObject(with: Data(stream.body))
        return object as? [String: Any] ?? [:]
    }

    func answer(_ stream: ServerStream, _ status: Int, _ object: [String: Any]) {
        let data = try? JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .prettyPrinted])
        send(stream, status, "application/json", Array(data ?? Data()) + [UInt8(ascii: "\n")])
    }

    private func send(
        _ stream: ServerStream, _ status: Int, _ contentType: String, _ body: [UInt8]
    ) {
        var fields = FieldBlock()
        fields.append("content-type", contentType)
        stream.respond(status: status, fields: fields, length: body.count)
        body.withUnsafeBytes { stream.send($0, end: true) }
    }
}
