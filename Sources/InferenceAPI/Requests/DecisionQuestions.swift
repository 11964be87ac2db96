/// The questions of `POST /v1/decisions`, as far as a classifier answers them: a predicate asks for
/// its positive label, a choice for one of its labels.
public struct DecisionQuestions: Sendable {
    enum Kind: Sendable {
        case predicate
        /// Places of the labels among the classifier's.
        case choice([Int])
    }

    struct Question: Sendable {
        var kind: Kind
        /// As a JSON string.
        var name: [UInt8]?
    }

    static let most = 200

    private(set) var questions: [Question] = []
    private var labels: [[UInt8]] = []
    private var positive = 0

    public init() {}

    public var isEmpty: Bool { questions.isEmpty }

    /// Reads the questions at `range` of a validated body. `labels` are the classifier's, each as a
    /// JSON string, in the order of its classes.
    public init(
        at range: Range<Int>?, of body: UnsafeRawBufferPointer, labels: [[UInt8]], positive: Int?
    ) throws(APIError) {
        let scanner = JSONScanner(body)
        guard let range, scanner.kind(at: range.lowerBound) == .array else {
            throw .invalid(param: "questions", "You must give 'questions', an array.")
        }
        guard let positive, labels.indices.contains(positive) else {
            throw .invalid(param: "model", "This model has no labels to answer questions with.")
        }
        self.labels = labels
        self.positive = positive
        var failure: APIError?
        scanner.forEachElement(of: range) { element in
            do throws(APIError) {
                guard questions.count < Self.most else {
                    throw .invalid(param: "questions", "There may be \(Self.most) questions.")
                }
                questions.append(try question(element, scanner))
            } catch {
                failure = error
            }
            return failure == nil
        }
        if let failure { throw failure }
        if questions.isEmpty {
            throw .invalid(param: "questions", "'questions' must not be empty.")
        }
    }

    private func question(
        _ element: Range<Int>, _ scanner: JSONScanner
    ) throws(APIError) -> Question {
        let param = "questions[\(questions.count)]"
        guard scanner.kind(at: element.lowerBound) == .object,
            let type = scanner.member("type", of: element)
        else { throw .invalid(param: param, "A question is an object with a 'type'.") }
        let name = scanner.member("name", of: element).flatMap { name in
            scanner.kind(at: name.lowerBound) == .string ? Array(scanner.bytes[name]) : nil
        }
        if scanner.equals(type, "\"predicate\"") {
            return Question(kind: .predicate, name: name)
        }
        guard scanner.equals(type, "\"choice\"") else {
            throw .invalid(
                param: "\(param).type", "A classifier answers 'predicate' and 'choice' questions.")
        }
        return Question(kind: .choice(try choices(element, scanner, param)), name: name)
    }

    private func choices(
        _ question: Range<Int>, _ scanner: JSONScanner, _ param: String
    ) throws(APIError) -> [Int] {
        var places: [Int] = []
        var isKnown = true
        if let list = scanner.member("choices", of: question),
            scanner.kind(at: list.lowerBound) == .array
        {
            scanner.forEachElement(of: list) { choice in
                let value =
                    scanner.kind(at: choice.lowerBound) == .object
                    ? scanner.member("value", of: choice) : choice
                let place = value.flatMap { value in
                    labels.firstIndex { $0.elementsEqual(scanner.bytes[value]) }
                }
                isKnown = place.map { !places.contains($0) } ?? false
                if let place, isKnown { places.append(place) }
                return isKnown
            }
        }
        guard isKnown, places.count >= 2 else {
            let known = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
            throw .invalid(
                param: "\(param).choices",
                "The 'choices' of a classifier are two or more of its labels: \(known).")
        }
        return places
    }

    /// Appends the answers to all questions. `probabilities` by label; empty: there is no verdict,
    /// and each answer is a refusal.
    public func appendAnswers(_ probabilities: [Double], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "[".utf8)
        for (index, question) in questions.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard probabilities.count == labels.count else {
                bytes.append(contentsOf: "{\"type\":\"refusal\"".utf8)
                append(question.name, to: &bytes)
                continue
            }
            switch question.kind {
            case .predicate:
                bytes.append(
                    contentsOf: "{\"type\":\"predicate\",\"probability\":\(probabilities[positive])"
                        .utf8)
            case .choice(let places): appendChoice(places, probabilities, to: &bytes)
            }
            append(question.name, to: &bytes)
        }
        bytes.append(contentsOf: "]".utf8)
    }

    private func append(_ name: [UInt8]?, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: ",\"name\":".utf8)
        bytes.append(contentsOf: name ?? Array("null".utf8))
        bytes.append(UInt8(ascii: "}"))
    }

    /// Probabilities among the labels that were asked about: those of all labels are as they came.
    private func appendChoice(
        _ places: [Int], _ probabilities: [Double], to bytes: inout [UInt8]
    ) {
        let sum = places.reduce(0) { $0 + probabilities[$1] }
        let shares = places.map { place in
            places.count == labels.count
                ? probabilities[place]
                : sum > 0 ? probabilities[place] / sum : 1 / Double(places.count)
        }
        let best = shares.indices.max { shares[$0] < shares[$1] } ?? 0
        bytes.append(contentsOf: "{\"type\":\"choice\",\"choice\":".utf8)
        bytes.append(contentsOf: labels[places[best]])
        bytes.append(contentsOf: ",\"probabilities\":[".utf8)
        for (index, place) in places.enumerated() {
            bytes.append(contentsOf: (index > 0 ? ",{\"value\":" : "{\"value\":").utf8)
            bytes.append(contentsOf: labels[place])
            bytes.append(contentsOf: ",\"probability\":\(shares[index])}".utf8)
        }
        bytes.append(contentsOf: "],\"confidence\":\(shares[best])".utf8)
    }
}
