import InferenceTypes
import Logging
import Synchronization
import Transport

/// One finished request as the log shows it: sizes, times and names, never a prompt or a key.
struct RequestRecord: Sendable {
    var id: RequestID
    /// As the client named it, checked.
    var clientRequestID: String?
    var tenant: TenantID
    var model: ModelID
    var task: InferenceTask
    var endpoint: EndpointID?
    var attempts: Int
    var status: Int
    var duration: TimeSpan
    var timeToFirstToken: TimeSpan?
    var usage: Usage
    /// Predicted at placement.
    var energy: Joules?
}

/// Writes request lines on the control thread. Failures are logged at level info, everything at
/// level debug. A log that nobody reads holds up no request: beyond a bound lines are counted and
/// dropped.
final class RequestLog: Sendable {
    private static let bound = 1_000

    private let logger: Logger
    private let control: Reactor
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    /// The lowest status that is logged; above any status: none.
    private let threshold: Int

    init(logger: Logger, control: Reactor) {
        self.logger = logger
        self.control = control
        threshold = logger.logLevel <= .debug ? 0 : (logger.logLevel <= .info ? 500 : .max)
    }

    /// True if a request that ended so is logged; asked before a record is made.
    func wants(status: Int) -> Bool { status >= threshold }

    func write(_ record: RequestRecord, by gateway: Gateway) {
        guard waiting.load(ordering: .relaxed) < Self.bound else {
            dropped.add(1, ordering: .relaxed)
            return
        }
        waiting.add(1, ordering: .relaxed)
        control.post { _ in
            self.waiting.subtract(1, ordering: .relaxed)
            self.logger.info("request", metadata: self.metadata(of: record, gateway))
        }
    }

    private func metadata(of record: RequestRecord, _ gateway: Gateway) -> Logger.Metadata {
        var name: [UInt8] = []
        RequestName.append(to: &name, id: record.id, instance: gateway.instance)
        var metadata: Logger.Metadata = [
            "id": "\(String(decoding: name, as: UTF8.self))",
            "tenant": "\(gateway.directory.tenantName(record.tenant))",
            "task": "\(record.task.rawValue)", "status": "\(record.status)",
            "duration_ms": "\(record.duration.milliseconds)", "attempts": "\(record.attempts)",
        ]
        if let id = record.clientRequestID { metadata["client_request_id"] = "\(id)" }
        if record.model.index >= 0 {
            metadata["model"] = "\(gateway.directory.modelName(record.model))"
        }
        if let endpoint = record.endpoint {
            let entry = gateway.directory.endpoints[endpoint.index]
            metadata["endpoint"] = "\(gateway.directory.pool(entry.pool).name)/\(entry.name)"
        }
        if let span = record.timeToFirstToken { metadata["ttft_ms"] = "\(span.milliseconds)" }
        if let tokens = record.usage.inputTokens { metadata["input_tokens"] = "\(tokens)" }
        if let tokens = record.usage.outputTokens { metadata["output_tokens"] = "\(tokens)" }
        if let energy = record.energy { metadata["predicted_joules"] = "\(energy.value)" }
        let lost = dropped.exchange(0, ordering: .relaxed)
        if lost > 0 { metadata["lines_dropped"] = "\(lost)" }
        return metadata
    }
}
