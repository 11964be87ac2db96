import InferenceTypes

/// Learns multipliers of things believed beforehand from readings of their weighted sum.
///
/// The state x holds dimensionless multipliers that begin at 1, so that joules and microjoules
/// are learned alike. A reading y of which the model says `h x`, h in the unit of y, with standard
/// deviation r, changes it by Kalman's rule:
///
///     S = h P h + r^2,   K = P h / S,   x += K (y - h x)
///     P = P - K (P h)' - (P h) K' + S K K'          (Joseph's form, for a K that was changed, too)
///
/// Recursive least squares that forget, the textbook's choice, blow up: what is not excited is
/// forgotten without bound, and the first reading after an idle hour throws the state anywhere.
/// Here everything has a bound. Variance comes in only where the reading has something to say,
/// at `drift` per second, and never beyond that of the beginning. Multipliers stay in `bounds`. A
/// reading further off than five standard deviations counts a 25th; six of them in a row to the
/// same side are no accident, and doubt is let in again. Parameters that a reading must not touch
/// are `held`: taken for known. (To count their doubt without moving them would be more honest and
/// was worse: whatever the others missed was then put down to that doubt, for good.)
///
/// Worked: one parameter, P = 0.25, h = 100 J, y = 150 J, r = 3 J: S = 2 509, K = 0.009964,
/// x = 1 + 0.498 = 1.498, P = 0.0009.
///
/// The arrays are made once; an update allocates nothing and takes n^2 steps at most.
public struct BoundedFilter: Sendable {
    public let count: Int
    public private(set) var state: [Double]
    /// P, row by row.
    public private(set) var covariance: [Double]
    /// Readings that were taken in.
    public private(set) var readings = 0
    /// P of the beginning.
    private let prior: [Double]
    /// Parameters that are not to be moved by the next reading.
    private var held: [Bool]
    /// Parameters that have reached a bound in the update under way.
    private var clipped: [Bool]
    /// P h.
    private var gain: [Double]
    private var outliers = 0

    public static let priorVariance = 0.25
    public static let drift = 1e-6
    public static let bounds = 0.1...5.0
    /// In standard deviations.
    static let outlier = 5.0
    static let outlierWeight = 25.0
    /// Relative standard deviation of the prediction above which nothing is an outlier: who does
    /// not know cannot say what is odd.
    static let certainty = 0.1
    static let outliersInARow = 6
    /// A regressor below this share of the reading says nothing.
    static let excitation = 0.01

    public enum Verdict: Hashable, Sendable {
        /// Not a number, negative, or without length: nothing was changed.
        case refused
        case learned
        case outlier
    }

    /// `correlation`: of the doubts about two parameters at the beginning, -1 to 1, so that the
    /// whole is a covariance; nothing by itself. Where errors are likely to go together, one
    /// reading then corrects what it does not see.
    public init(count: Int, correlation: (Int, Int) -> Double = { _, _ in 0 }) {
        self.count = max(count, 0)
        state = Array(repeating: 1, count: self.count)
        var covariance = Array(repeating: 0.0, count: self.count * self.count)
        held = Array(repeating: false, count: self.count)
        gain = Array(repeating: 0, count: self.count)
        clipped = held
        for row in 0..<self.count {
            for column in 0..<self.count {
                covariance[row * self.count + column] =
                    Self.priorVariance * (row == column ? 1 : correlation(row, column))
            }
        }
        self.covariance = covariance
        prior = covariance
    }

    /// The same beliefs with all the doubt of the beginning.
    public func doubting() -> BoundedFilter {
        var fresh = self
        fresh.covariance = prior
        fresh.readings = 0
        fresh.outliers = 0
        return fresh
    }

    public mutating func hold(_ index: Int, _ isHeld: Bool) {
        if held.indices.contains(index) { held[index] = isHeld }
    }

    /// Something that was taken for known has turned out wrong: lets in doubt of all others.
    mutating func doubt(_ variance: Double, except index: Int) {
        guard variance.isFinite, variance > 0 else { return }
        for other in 0..<count where other != index {
            covariance[other * count + other] += variance
            cap(other)
        }
    }

    /// Sets a multiplier right by something that is known from elsewhere.
    mutating func shift(_ index: Int, by change: Double) {
        guard state.indices.contains(index), change.isFinite else { return }
        state[index] = min(
            max(state[index] + change, Self.bounds.lowerBound), Self.bounds.upperBound)
    }

    public func prediction(_ regressors: [Double]) -> Double {
        var sum = 0.0
        for index in 0..<min(count, regressors.count) { sum += regressors[index] * state[index] }
        return sum
    }

    /// `h P h`: variance of a prediction.
    public func variance(_ regressors: [Double]) -> Double {
        guard regressors.count == count else { return .infinity }
        var sum = 0.0
        for row in 0..<count where regressors[row] != 0 {
            var inner = 0.0
            for column in 0..<count {
                inner += covariance[row * count + column] * regressors[column]
            }
            sum += regressors[row] * inner
        }
        return max(sum, 0)
    }

    /// - Parameters:
    ///   - regressors: h, one for each parameter, none negative.
    ///   - reading: y.
    ///   - deviation: r, above 0.
    ///   - seconds: how long it took to gather the reading.
    @discardableResult
    public mutating func update(
        _ regressors: [Double], reading: Double, deviation: Double, seconds: Double
    ) -> Verdict {
        guard regressors.count == count, reading.isFinite, reading >= 0, reading < 1e15,
            deviation.isFinite, deviation > 0, seconds.isFinite, seconds > 0
        else { return .refused }
        var scale = reading
        for regressor in regressors {
            guard regressor.isFinite, regressor >= 0, regressor < 1e15 else { return .refused }
            scale = max(scale, regressor)
        }
        guard scale > 0 else { return .refused }
        excite(regressors, above: Self.excitation * scale, seconds: seconds)
        for index in 0..<count { clipped[index] = false }
        var isOutlier = false
        var isAbove = false
        // What runs into a bound cannot explain the rest, so the others have to: again, without it.
        for _ in 0..<4 {
            let spread = multiply(regressors)
            let residual = reading - prediction(regressors)
            var variance = deviation * deviation
            var total = spread + variance
            isAbove = residual > 0
            let doubt = Self.certainty * prediction(regressors)
            isOutlier =
                spread < doubt * doubt
                && residual * residual > Self.outlier * Self.outlier * total
            if isOutlier {
                variance *= Self.outlierWeight
                total = spread + variance
            }
            guard clip(by: residual, total: total) else {
                correct(by: residual, total: total)
                break
            }
        }
        readings = min(readings + 1, 1 << 40)
        count(isOutlier: isOutlier, above: isAbove)
        return isOutlier ? .outlier : .learned
    }

    private func moves(_ index: Int) -> Bool { !held[index] && !clipped[index] }

    /// True if a parameter would leave the bounds: it is put there and moves no more.
    private mutating func clip(by residual: Double, total: Double) -> Bool {
        var isAny = false
        for index in 0..<count where moves(index) {
            let value = state[index] + gain[index] / total * residual
            guard !Self.bounds.contains(value) else { continue }
            state[index] = min(max(value, Self.bounds.lowerBound), Self.bounds.upperBound)
            clipped[index] = true
            isAny = true
        }
        return isAny
    }

    private mutating func excite(_ regressors: [Double], above least: Double, seconds: Double) {
        for index in 0..<count where regressors[index] > least && !held[index] {
            covariance[index * count + index] += Self.drift * seconds
        }
        for index in 0..<count { cap(index) }
    }

    /// Shrinks row and column together, so that P remains a covariance.
    private mutating func cap(_ index: Int) {
        let variance = covariance[index * count + index]
        guard variance > Self.priorVariance else { return }
        let factor = (Self.priorVariance / variance).squareRoot()
        for other in 0..<count {
            covariance[index * count + other] *= factor
            covariance[other * count + index] *= factor
        }
    }

    /// Leaves P h in `gain`; returns h P h.
    private mutating func multiply(_ regressors: [Double]) -> Double {
        for row in 0..<count { gain[row] = 0 }
        for column in 0..<count where regressors[column] != 0 && moves(column) {
            let regressor = regressors[column]
            for row in 0..<count { gain[row] += covariance[row * count + column] * regressor }
        }
        var spread = 0.0
        for row in 0..<count where moves(row) { spread += regressors[row] * gain[row] }
        return max(spread, 0)
    }

    private mutating func correct(by residual: Double, total: Double) {
        for row in 0..<count {
            let rowGain = moves(row) ? gain[row] / total : 0
            state[row] = min(
                max(state[row] + rowGain * residual, Self.bounds.lowerBound),
                Self.bounds.upperBound)
            for column in 0...row {
                let columnGain = moves(column) ? gain[column] / total : 0
                var value = covariance[row * count + column]
                value -= rowGain * gain[column] + gain[row] * columnGain
                value += total * rowGain * columnGain
                if row == column { value = max(value, 1e-12) }
                covariance[row * count + column] = value
                covariance[column * count + row] = value
            }
        }
    }

    /// `outliers` is positive for readings above the prediction, negative for those below.
    private mutating func count(isOutlier: Bool, above: Bool) {
        guard isOutlier else {
            outliers = 0
            return
        }
        outliers = above ? max(outliers, 0) + 1 : min(outliers, 0) - 1
        guard outliers.magnitude >= UInt(Self.outliersInARow) else { return }
        outliers = 0
        for index in covariance.indices { covariance[index] = prior[index] }
    }
}
