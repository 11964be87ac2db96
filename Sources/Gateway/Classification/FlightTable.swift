import InferenceTypes

extension RequestID {
    /// Tells a batch from a request: the highest bit of the slot, which no table grows up to.
    static let batchBit = 0x80_0000

    var isBatch: Bool { slot & Self.batchBit != 0 }
}

/// A reactor's batches under way: a table of reusable objects.
struct FlightTable {
    private(set) var flights: [BatchFlight] = []
    private var free: [Int] = []
    var active: Int { flights.count - free.count }

    mutating func claim(_ shell: ReactorShell, _ line: ClassifierLine) -> BatchFlight {
        if let slot = free.popLast() {
            flights[slot].isActive = true
            flights[slot].line = line
            return flights[slot]
        }
        let flight = BatchFlight(shell: shell, slot: flights.count, line: line)
        flight.isActive = true
        flights.append(flight)
        return flight
    }

    mutating func release(_ flight: BatchFlight) {
        guard flight.isActive else { return }
        flight.isActive = false
        flight.generation &+= 1
        free.append(flight.slot)
    }

    func find(_ id: RequestID) -> BatchFlight? {
        let slot = id.slot & ~RequestID.batchBit
        guard slot < flights.count else { return nil }
        let flight = flights[slot]
        return flight.isActive && flight.generation == id.generation ? flight : nil
    }
}
