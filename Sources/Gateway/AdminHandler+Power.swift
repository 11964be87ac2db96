import Configuration
import Foundation
import InferenceTypes
import Scheduling
import Transport

/// `GET /power` and `PUT /power`: the power limits and what they see.
extension AdminHandler {
    func answerPower(_ stream: ServerStream) {
        answer(stream, 200, power())
    }

    private func power() -> [String: Any] {
        let configured = gateway.configuration.powerLimits
        guard let power = gateway.scheduler.snapshot(at: plane.reactor.now).power else {
            return ["accounts": [Any](), "pue": configured.pue]
        }
        return [
            "pue": power.limits.pue, "power_share": power.limits.share,
            "pressure": power.pressure, "refusals": power.refusals,
            "accounts": power.accounts.map { account in
                [
                    "name": gateway.name(of: account), "limit_watts": account.limit.value,
                    "predicted_watts": account.predicted.value,
                    "idle_watts": account.idle.value, "provenance": "modelled",
                ] as [String: Any]
            },
        ]
    }

    /// `{"total_power_limit_watts": 4000, "pools": {"haein": 3000, "rebel": null}}`: a number sets
    /// a limit, null lifts it, what is not named stays. It holds until the next start.
    func setPower(_ stream: ServerStream) {
        let now = gateway.scheduler.snapshot(at: plane.reactor.now).power?.limits
        var limits = now ?? gateway.configuration.powerLimits
        if now == nil {
            limits.site = nil
            limits.pools = []
        }
        let count = gateway.configuration.pools.count
        limits.pools += Array(repeating: nil, count: max(count - limits.pools.count, 0))
        let wanted = body(stream)
        guard !wanted.isEmpty else {
            answer(stream, 400, ["error": "expected 'total_power_limit_watts' or 'pools'"])
            return
        }
        do {
            for (key, value) in wanted.sorted(by: { $0.key < $1.key }) {
                switch key {
                case "total_power_limit_watts": limits.site = try watts(value, key)
                case "pools":
                    guard let pools = value as? [String: Any] else {
                        throw PowerError("'pools' is an object of watts by name")
                    }
                    for (name, value) in pools.sorted(by: { $0.key < $1.key }) {
                        guard let index = gateway.configuration.pools.firstIndex(where: {
                            $0.name == name
                        }) else { throw PowerError("'pools': there is no such pool") }
                        limits.pools[index] = try watts(value, "pools.\(name)")
                    }
                default:
                    throw PowerError(
                        "'\(key)' is neither 'total_power_limit_watts' nor 'pools'")
                }
            }
        } catch {
            answer(stream, 400, ["error": "\((error as? PowerError)?.message ?? "")"])
            return
        }
        plane.submit(.setPowerLimits(limits))
        gateway.logger.notice("power limits changed")
        answer(stream, 200, power())
    }

    private struct PowerError: Error {
        var message: String
        init(_ message: String) { self.message = message }
    }

    private func watts(_ value: Any, _ key: String) throws -> Watts? {
        if value is NSNull { return nil }
        // A number of one is a Bool to Swift, too; its type tells them apart.
        guard let number = value as? NSNumber, String(cString: number.objCType) != "c",
            number.doubleValue >= 1, number.doubleValue <= 1e9
        else { throw PowerError("'\(key)' is a number of watts, at least 1, or null") }
        return Watts(number.doubleValue)
    }
}
