import InferenceTypes

/// The work that goes on at one endpoint, told by a few events per request and never per token.
///
/// Prompts stand in a row and are computed one after the other at the predicted rate; a first
/// token that comes sooner shows that its prompt is done. In the time that is left decode runs in
/// iterations: `n = t pace / tau(B)`. Two sums grow with them: the turns `N` that every decoding
/// sequence has had, and the energy `V` that falls to each, `E*(B) / B` per iteration. What a
/// request has cost is then `V(now) - V(then)`, however many others came and went meanwhile.
///
/// Worked, H100: alone for 100 iterations, V grows by 195.7 J; a second sequence joins, and in 100
/// more it grows by `100 x E*(2) / 2` for each of them.
///
/// `pace` is the tokens that were reported over those that the curve promised, over the last ten
/// seconds or so: a curve that is wrong about time is not wrong about energy for it.
public struct WorkClock: Sendable {
    /// Since the start.
    public private(set) var activity: EndpointActivity
    public private(set) var at: MonotonicTime
    /// Since when nothing is in flight, ours or foreign; `nil` if something is.
    public private(set) var idleSince: MonotonicTime?
    public private(set) var inFlight = 0
    /// N and V.
    private(set) var turns = 0.0
    private(set) var share = 0.0
    /// What fell to sequences of others, J.
    private(set) var foreignEnergy = 0.0
    /// Seconds of prefill done, and accepted.
    private(set) var prefillDone = 0.0
    private var prefillTail = 0.0

    private var decoding = 0
    private var foreign = 0
    /// Decoding sequences whose tokens are reported as they come.
    private var reporting = 0
    /// Tokens in the caches of our decoding sequences.
    private var context = 0.0
    private(set) var pace = 1.0
    private var promisedTokens = 0.0
    private var reportedTokens = 0.0
    private var pacedAt: MonotonicTime

    /// Of the endpoint, with what was learned when it was last handed in. The clock's own, since an
    /// array's element that goes along with a call is copied and its references are counted.
    private(set) var model: EndpointModel
    /// The model's figures for the present batch.
    private var batch = 0
    private var stepTime = 0.0
    private var stepEnergy = 0.0
    private var prefillRate: Double

    /// Reports of the last ten seconds or so make the pace; at first it leans on the curve as if
    /// 50 tokens had come at its time.
    static let paceMemory = TimeSpan.seconds(10)
    static let pacePrior = 50.0

    public init(_ model: EndpointModel, at start: MonotonicTime) {
        self.model = model
        activity = EndpointActivity(capacity: model.curve.capacity)
        at = start
        pacedAt = start
        idleSince = start
        prefillRate = model.tokensPerPrefillSecond
    }

    // MARK: Events

    /// Lets time pass. An earlier `now` than the last changes nothing.
    public mutating func advance(to now: MonotonicTime) {
        guard now > at else { return }
        let elapsed = now - at
        at = now
        activity.span = activity.span + elapsed
        guard idleSince == nil else {
            activity.idle = activity.idle + elapsed
            return
        }
        var seconds = elapsed.seconds
        if prefillDone < prefillTail {
            let prefill = min(seconds, prefillTail - prefillDone)
            prefillDone += prefill
            activity.prefillTokens += prefill * prefillRate
            seconds -= prefill
        }
        guard batch > 0, seconds > 0, stepTime > 0 else { return }
        decode(iterations: seconds * pace / stepTime)
    }

    private mutating func decode(iterations: Double) {
        let sequences = Double(decoding + foreign)
        activity.iterations[batch] += iterations
        // Beyond the largest batch they take turns.
        let own = iterations * Double(batch) / sequences
        let each = iterations * stepEnergy / sequences
        share += each
        foreignEnergy += each * Double(foreign)
        turns += own
        let gained = own * Double(decoding)
        activity.kvTokenSteps += own * (context + gained / 2)
        context += gained
        promisedTokens += own / pace * Double(reporting)
    }

    public mutating func placed(
        _ demand: RequestWork.Demand, prefill: TimeSpan, at now: MonotonicTime
    ) -> RequestWork {
        advance(to: now)
        inFlight += 1
        idleSince = nil
        let from = max(prefillTail, prefillDone)
        let seconds = max(prefill.seconds, 0)
        prefillTail = from + seconds
        var work = RequestWork(demand, placedAt: now, from: from, seconds: seconds)
        // Of an answer that comes whole nobody sees the first token. No sequence has a turn while
        // its prompt is computed, so it may as well count from here.
        if demand.generates, !demand.streams { join(&work) }
        return work
    }

    public mutating func firstToken(_ work: inout RequestWork, at now: MonotonicTime) {
        advance(to: now)
        finishPrefill(of: work)
        if work.demand.generates, !work.isDecoding { join(&work) }
    }

    /// `tokens`: output tokens of all its sequences so far. Call ``settlePace()`` after the last
    /// report of a batch.
    public mutating func progressed(
        _ work: inout RequestWork, tokens: Int, at now: MonotonicTime
    ) {
        advance(to: now)
        guard work.isDecoding, work.demand.streams else { return }
        // The first token of each sequence came out of its prefill.
        let known = max(work.reported, work.demand.sequences)
        guard tokens > known else { return }
        reportedTokens += Double(tokens) - Double(known)
        work.reported = tokens
    }

    public mutating func settlePace(on model: EndpointModel) {
        let pace = (reportedTokens + Self.pacePrior) / (promisedTokens + Self.pacePrior)
        self.pace = min(max(pace, 0.1), 10)
        let age = max((at - pacedAt).seconds, 0) / Self.paceMemory.seconds
        let kept = Mathematics.exp(-age)
        reportedTokens *= kept
        promisedTokens *= kept
        pacedAt = at
    }

    /// The request is off the endpoint. `isAnswered`: its answer came to an end, so that its
    /// prompt was computed for certain.
    public mutating func left(
        _ work: inout RequestWork, isAnswered: Bool, usage: Usage, at now: MonotonicTime
    ) {
        if let tokens = usage.outputTokens {
            progressed(&work, tokens: min(tokens, 1 << 30), at: now)
        } else {
            advance(to: now)
        }
        let running = max(inFlight, 1)
        inFlight = max(inFlight - 1, 0)
        if isAnswered || work.isDecoding && work.demand.streams {
            finishPrefill(of: work)
            correctPrompt(&work, usage)
        } else {
            abandonPrefill(of: work)
        }
        if isAnswered, !work.demand.generates, model.prefillRule == .onePass {
            forwardPass(&work, among: running)
        }
        if work.isDecoding {
            decoding = max(decoding - work.demand.sequences, 0)
            reporting = max(reporting - (work.demand.streams ? work.demand.sequences : 0), 0)
            let held = Double(work.demand.inputTokens) + turns - work.turnsFrom
            context = decoding > 0 ? max(context - Double(work.demand.sequences) * held, 0) : 0
        }
        refresh()
    }

    /// Sequences of others, by the last look at the engine's own page, and the model as it is now.
    public mutating func setForeign(
        _ sequences: Int, on model: EndpointModel, at now: MonotonicTime
    ) {
        advance(to: now)
        foreign = min(max(sequences, 0), 1 << 20)
        self.model = model
        refresh()
    }

    /// Reads the model's figures again: the batch or the model has changed.
    private mutating func refresh() {
        prefillRate = model.tokensPerPrefillSecond
        batch = min(decoding + foreign, min(model.curve.capacity, activity.iterations.count - 1))
        stepTime = model.curve.iterationTime(batch: batch).seconds
        stepEnergy = model.curve.energyAboveIdle(batch: batch).value
        if inFlight == 0, foreign == 0 {
            if idleSince == nil { idleSince = at }
            prefillTail = prefillDone
        } else {
            idleSince = nil
        }
    }

    // MARK: Parts

    private mutating func join(_ work: inout RequestWork) {
        work.isDecoding = true
        work.turnsFrom = turns
        work.shareFrom = share
        decoding += work.demand.sequences
        reporting += work.demand.streams ? work.demand.sequences : 0
        context += Double(work.demand.sequences) * Double(work.demand.inputTokens)
        refresh()
    }

    /// The row of prompts is at least past this one.
    private mutating func finishPrefill(of work: RequestWork) {
        let skipped = work.prefillEnd - prefillDone
        guard skipped > 0 else { return }
        activity.prefillTokens += skipped * prefillRate
        prefillDone = work.prefillEnd
        prefillTail = max(prefillTail, prefillDone)
    }

    /// What is left of it will not be computed: the row moves up, if it stands at an end of it.
    private mutating func abandonPrefill(of work: RequestWork) {
        guard work.prefillEnd > prefillDone else { return }
        if prefillTail <= work.prefillEnd {
            prefillTail = max(prefillDone, work.prefillFrom)
        } else if work.prefillFrom <= prefillDone {
            prefillDone = work.prefillEnd
        }
    }

    private mutating func correctPrompt(_ work: inout RequestWork, _ usage: Usage) {
        guard prefillRate > 0, let tokens = usage.inputTokens else { return }
        // A peer's numbers: kept within what can be subtracted.
        let most = 1 << 24
        let cached = min(max(usage.cachedInputTokens ?? 0, 0), most)
        let counted = max(min(max(tokens, 0), most) - cached, 0)
        let expected = work.prefillSeconds * prefillRate
        let difference = Double(counted) - expected
        activity.prefillTokens += difference
        work.extra += difference * model.prefillEnergyPerToken.value
    }

    /// A classifier's items share a pass with what else is there.
    private mutating func forwardPass(_ work: inout RequestWork, among running: Int) {
        let items = Double(work.demand.sequences)
        let together = min(
            max(running + work.demand.sequences - 1, 1),
            min(model.curve.capacity, activity.iterations.count - 1))
        let passes = items / Double(together)
        activity.iterations[together] += passes
        work.extra += passes * model.curve.energyAboveIdle(batch: together).value
    }
}
