import InferenceTypes

/// Visits the fields of a value one after the other. One description of a type, its
/// ``JournalFields``, is written, read back and digested by three of these, so that the ways in
/// and out cannot differ.
protocol FieldCoder {
    /// `Never` for those that only look.
    associatedtype Failure: Error
    /// True if it changes what it visits; others leave shared lists alone.
    static var reads: Bool { get }
    mutating func integer(_ value: inout Int) throws(Failure)
    /// All 64 bits, for numbers that are seldom small.
    mutating func word(_ value: inout UInt64) throws(Failure)
    /// To the last bit, NaN and the sign of zero included.
    mutating func number(_ value: inout Double) throws(Failure)
    mutating func flag(_ value: inout Bool) throws(Failure)
    mutating func text(_ value: inout String) throws(Failure)
    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) throws(Failure)
    /// The length of a list; a reader puts in its own.
    mutating func length(_ value: inout Int) throws(Failure)
}

/// A type whose fields can be visited in a fixed order.
protocol JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure)
    /// What a reader fills in.
    static var blank: Self { get }
}

/// A choice among cases, each with a number that stays its own whatever other cases come.
protocol JournalChoice: CaseIterable {
    var journalCode: UInt8 { get }
}

extension FieldCoder {
    mutating func code<Value: JournalFields>(_ value: inout Value) throws(Failure) {
        try value.visit(&self)
    }

    mutating func choice<Choice: JournalChoice>(_ value: inout Choice?) throws(Failure) {
        var isThere = value != nil
        try flag(&isThere)
        guard isThere, var some = value ?? Choice.allCases.first else {
            value = nil
            return
        }
        try choice(&some)
        value = some
    }

    mutating func choices<Choice: JournalChoice>(_ list: inout [Choice]) throws(Failure) {
        var count = list.count
        try length(&count)
        if Self.reads { list.removeAll() }
        for index in 0..<count {
            guard var element = index < list.count ? list[index] : Choice.allCases.first else {
                return
            }
            try choice(&element)
            if Self.reads { list.append(element) }
        }
    }
}

extension Optional: JournalFields where Wrapped: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var isThere = if case .some = self { true } else { false }
        try coder.flag(&isThere)
        guard isThere else {
            self = nil
            return
        }
        // With its type: an optional would do as well, and look inside itself for ever.
        var some: Wrapped = self ?? Wrapped.blank
        try some.visit(&coder)
        self = some
    }
    static var blank: Wrapped? { nil }
}

extension Array: JournalFields where Element: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var count = count
        try coder.length(&count)
        if Coder.reads { removeAll() }
        for index in 0..<count {
            var element = index < self.count ? self[index] : .blank
            try element.visit(&coder)
            if Coder.reads { append(element) }
        }
    }
    static var blank: [Element] { [] }
}

extension Int: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.integer(&self)
    }
    static var blank: Int { 0 }
}

extension Double: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.number(&self)
    }
    static var blank: Double { 0 }
}

extension Bool: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.flag(&self)
    }
    static var blank: Bool { false }
}

extension String: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.text(&self)
    }
    static var blank: String { "" }
}

extension UInt64: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.word(&self)
    }
    static var blank: UInt64 { 0 }
}

extension Int64: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var value = Int(self)
        try coder.integer(&value)
        self = Int64(value)
    }
    static var blank: Int64 { 0 }
}
