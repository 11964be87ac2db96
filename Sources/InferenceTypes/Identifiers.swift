// Identifiers are small indices into tables that the configuration fixes at start or reload:
// a decision never depends on the hash of a name.

/// An interchangeable set of endpoints, by its position in the configuration.
public struct PoolID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: PoolID, b: PoolID) -> Bool { a.index < b.index }
}

/// One model server, by its position over all pools.
public struct EndpointID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: EndpointID, b: EndpointID) -> Bool { a.index < b.index }
}

/// A host with its accelerators.
public struct NodeID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: NodeID, b: NodeID) -> Bool { a.index < b.index }
}

/// A power or energy meter. Several endpoints may share one; one endpoint may need several.
public struct MeterID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: MeterID, b: MeterID) -> Bool { a.index < b.index }
}

/// Who pays. `TenantID.anonymous` stands for everyone when no tenants are configured.
public struct TenantID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static let anonymous = TenantID(-1)
    public static func < (a: TenantID, b: TenantID) -> Bool { a.index < b.index }
}

/// A model as clients name it, by its position in the configuration.
public struct ModelID: Hashable, Comparable, Sendable {
    public var index: Int
    public init(_ index: Int) { self.index = index }
    public static func < (a: ModelID, b: ModelID) -> Bool { a.index < b.index }
}

/// One request on its way through. The shell packs what it needs to find the request again
/// (reactor, slot, generation) into the number; the core only compares it.
public struct RequestID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: RequestID, b: RequestID) -> Bool { a.rawValue < b.rawValue }
}
