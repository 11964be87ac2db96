/// Recursive least squares that forget exponentially, as textbooks have it: kept to show what it
/// does where nothing is excited for long. Parameters are made plausible afterwards.
struct TextbookFilter {
    var state: [Double]
    private var covariance: [[Double]]
    private let forgetting = 0.9995

    init(_ prior: [Double], variance: Double) {
        state = prior
        covariance = prior.indices.map { row in
            prior.indices.map { $0 == row ? variance : 0 }
        }
    }

    func prediction(_ regressors: [Double]) -> Double {
        zip(regressors, state).reduce(0) { $0 + $1.0 * $1.1 }
    }

    mutating func update(_ regressors: [Double], reading: Double) {
        let gain = covariance.map { row in zip(row, regressors).reduce(0) { $0 + $1.0 * $1.1 } }
        let spread = zip(gain, regressors).reduce(0) { $0 + $1.0 * $1.1 }
        let residual = reading - prediction(regressors)
        for row in state.indices {
            state[row] = max(state[row] + gain[row] / (forgetting + spread) * residual, 0)
        }
        for row in state.indices {
            for column in state.indices {
                covariance[row][column] -= gain[row] * gain[column] / (forgetting + spread)
                covariance[row][column] /= forgetting
            }
        }
    }
}
