import Configuration
import InferenceTypes
import WireProtocols

/// The tenants' API keys, as SHA-256 digests. A key is hashed as it comes in, found by the first
/// eight bytes of its digest (which nobody can steer), and compared whole in constant time.
struct KeyRing: Sendable {
    private struct Entry: Sendable {
        var prefix: UInt64
        var digest: SHA256Digest
        var tenant: TenantID
    }

    private let entries: [Entry]

    init(tenants: [GatewayConfiguration.Tenant]) {
        var entries: [Entry] = []
        for (index, tenant) in tenants.enumerated() {
            for key in tenant.apiKeys {
                guard let digest = SHA256Digest(bytes: key.bytes) else { continue }
                entries.append(
                    Entry(
                        prefix: KeyRing.prefix(key.bytes), digest: digest,
                        tenant: TenantID(index)))
            }
        }
        self.entries = entries.sorted { $0.prefix < $1.prefix }
    }

    private static func prefix(_ bytes: [UInt8]) -> UInt64 {
        bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    func tenant(of digest: SHA256Digest) -> TenantID? {
        let wanted = KeyRing.prefix(digest.bytes)
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].prefix < wanted { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].prefix == wanted {
            if entries[low].digest.isEqual(to: digest) { return entries[low].tenant }
            low += 1
        }
        return nil
    }

    /// The digest of the key in a header field: `Bearer KEY` (any case of the scheme) or the bare
    /// key. The key itself is never copied.
    static func digest(in head: borrowing FieldBlock, field: StaticString) -> SHA256Digest? {
        guard let value = head.withValue(of: field, { key(in: $0) }) else { return nil }
        return value
    }

    private static func key(in value: UnsafeRawBufferPointer) -> SHA256Digest? {
        let scheme: StaticString = "bearer "
        var start = 0
        let isBearer = value.count >= 7 && value.prefix(7).enumerated().allSatisfy { index, byte in
            (index < 6 ? byte | 0x20 : byte) == scheme.utf8Start[index]
        }
        if isBearer { start = 7 }
        while start < value.count, value[start] == 0x20 { start += 1 }
        guard start < value.count else { return nil }
        return SHA256.hash(UnsafeRawBufferPointer(rebasing: value[start...]))
    }
}
