import InferenceAPI
import InferenceTypes

extension FuzzTarget {
    /// Input: task and options, end and choices, cut, then the stream.
    static let serverSentEvents = FuzzTarget("sse", longestInput: 768) { input in
        guard let (head, stream) = input.cut(3) else { return }
        try checkBlocks(of: stream, cut: head[2])
        let plan = RelayPlan(head[0], head[1])
        let whole = plan.relay([stream])
        let cut = plan.relay(stream, cut: head[2])
        try whole.requireSame(as: cut)
        try whole.check(plan, input: stream)
        try checkMemory(of: stream)
    }
}

/// The scanner's blocks are the same however the input is cut, and a client that is given one
/// block at a time sees the events of the whole.
private func checkBlocks(of stream: UnsafeRawBufferPointer, cut choice: UInt8) throws(Finding) {
    var scanner = SSEScanner()
    var ends: [Int] = []
    var start = 0
    while let end = scanner.endOfBlock(in: stream, from: start) {
        try require(end > start || !ends.isEmpty, "a block without bytes at the start")
        try require(end <= stream.count, "a block ends at \(end) of \(stream.count)")
        ends.append(end)
        start = end
    }

    var piecewise = SSEScanner()
    var piecewiseEnds: [Int] = []
    var passed = 0
    forEachPiece(of: stream, cut: choice) { piece in
        var start = 0
        while let end = piecewise.endOfBlock(in: piece, from: start) {
            piecewiseEnds.append(passed + end)
            start = end
        }
        passed += piece.count
    }
    try require(ends == piecewiseEnds, "blocks end at \(ends), in pieces at \(piecewiseEnds)")
    try require(
        scanner.isAwaitingLineFeed == piecewise.isAwaitingLineFeed, "awaits a line feed or not")

    var events: [EventStreamClient.Event] = []
    start = 0
    for end in ends {
        events += EventStreamClient.events(of: stream[start..<end], atStart: start == 0)
        start = end
    }
    let late = EventStreamClient.events(of: stream[start...], atStart: start == 0)
    try require(
        late.isEmpty || scanner.isAwaitingLineFeed, "a whole event that is no block as yet")
    try require(
        EventStreamClient.events(of: stream) == events + late,
        "blocks at \(ends) do not hold the stream's events")
}

/// The observer remembers what chunks have in common and does not read that again: a stream must
/// count as its events do when each comes alone.
private func checkMemory(of stream: UnsafeRawBufferPointer) throws(Finding) {
    var together = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
    var scanner = SSEScanner()
    var start = 0
    var contentEvents = 0
    var hasFinishReason = false
    while together.isOpen, let end = scanner.endOfBlock(in: stream, from: start) {
        let block = UnsafeRawBufferPointer(rebasing: stream[start..<end])
        let isFirst = start == 0
        start = end
        var own = SSEScanner()
        // Half a CRLF at its end: without what follows nobody can tell that the block is whole.
        guard own.endOfBlock(in: block, from: 0) == block.count else { return }
        together.pass(block)
        var alone = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
        if !isFirst { Array(":\n\n".utf8).withUnsafeBytes { alone.pass($0) } }
        alone.pass(block)
        contentEvents += alone.contentEvents
        hasFinishReason = hasFinishReason || alone.hasFinishReason
        try require(alone.isOpen == together.isOpen, "only alone does a block end it, or not")
    }
    try checkRuns(of: stream, upTo: start, together)
    try require(contentEvents == together.contentEvents, "content events alone and together")
    try require(hasFinishReason == together.hasFinishReason, "finish reasons alone and together")
}

/// As many events at once as the stream has counts as one after the other.
private func checkRuns(
    of stream: UnsafeRawBufferPointer, upTo end: Int, _ together: borrowing StreamRelay
) throws(Finding) {
    var joined = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
    joined.pass(UnsafeRawBufferPointer(rebasing: stream[..<end]))
    try require(joined.isOpen == together.isOpen, "only joined do blocks end it, or not")
    try require(joined.events == together.events, "events joined and together")
    try require(
        joined.contentEvents == together.contentEvents, "content events joined and together")
    try require(
        joined.hasFinishReason == together.hasFinishReason, "finish reasons joined and together")
}

extension StreamRelay {
    fileprivate mutating func pass(_ bytes: UnsafeRawBufferPointer) {
        _ = receive(bytes)
        withPending { _ in }
    }
}
