import InferenceTypes
import Synchronization

/// How much memory all reactors together may hold for one purpose. Any thread.
public final class MemoryBudget: Sendable {
    /// Bytes.
    public let limit: Int
    private let used = Atomic<Int>(0)

    public init(limit: Int) { self.limit = limit }

    /// What the reactors have told so far, bytes; each may hold up to a step more or less.
    public var usedBytes: Int { used.load(ordering: .relaxed) }
    public var isExceeded: Bool { usedBytes > limit }

    fileprivate func add(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }
}

/// What servers share: the budgets of a process.
public struct ServerBudgets: Sendable {
    /// Request bodies.
    public let bodies: MemoryBudget
    /// Response bytes that wait for clients.
    public let responses: MemoryBudget

    public init(limits: Limits) {
        bodies = MemoryBudget(limit: limits.bodyBudgetBytes)
        responses = MemoryBudget(limit: limits.responseBudgetBytes)
    }
}

/// One reactor's part of a budget: counted without atomics, told in steps.
struct BudgetShare: ~Copyable {
    private let budget: MemoryBudget
    private let step: Int
    private(set) var held = 0
    private var told = 0

    private static let longestStep = 256 << 10

    init(of budget: MemoryBudget) {
        self.budget = budget
        // A small budget is not to be missed by a step.
        step = max(1, min(Self.longestStep, budget.limit / 16))
    }

    deinit { budget.add(-told) }

    var isExceeded: Bool { budget.isExceeded }

    mutating func add(_ bytes: Int) { set(held + bytes) }

    mutating func set(_ bytes: Int) {
        held = bytes
        guard (held - told).magnitude >= step.magnitude else { return }
        budget.add(held - told)
        told = held
    }
}
