import Testing

/// Everything that opens sockets, one test at a time: they share the machine's cores and would
/// disturb each other's times.
@Suite(.serialized, .timeLimit(.minutes(2))) enum OverSockets {}
