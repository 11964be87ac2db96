import InferenceAPI
import InferenceTypes
import Transport
import WireProtocols

/// What keeps a request near others: the beginning of its prompt, and its session.
extension Exchange {
    /// Leaves hashes in the request, no text. They are salted by process, tenant and model, so that
    /// equal prompts of two tenants have nothing in common.
    func noteAffinity(
        _ parsed: borrowing ParsedRequest, _ body: UnsafeRawBufferPointer,
        _ head: borrowing FieldBlock, in request: inout InferenceRequest
    ) {
        guard parsed.task.generates else { return }
        let hash = shell.gateway.promptHash.salted(
            tenant: request.tenant.index, model: request.model.index)
        request.prefix = parsed.prefix(in: body, hash)
        request.session = parsed.session(in: body, hash)
        if let key = key("x-session-id", of: head, hash) {
            request.session = key
        } else if request.session == 0, let key = key("x-correlation-id", of: head, hash) {
            // Most clients have a new one for each request: last.
            request.session = key
        }
    }

    /// A session named by a header; an empty one names none.
    private func key(
        _ name: StaticString, of head: borrowing FieldBlock, _ hash: PromptHash
    ) -> UInt64? {
        head.withValue(of: name) { $0.isEmpty ? nil : hash.key($0) } ?? nil
    }
}
