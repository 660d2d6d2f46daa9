import Glibc

/// The case for and against one cause: sentences with the weight that each has, in units of log odds.
///
/// A weight of 2 is a fact seen seven times as often with the cause as without it. The weights are judgements, checked
/// against simulated incidents (`DiagnosisTests`), not estimates from incidents on record.
struct CauseCase {
    var cause: CauseCode
    private(set) var weight: Double
    private(set) var supports: [String] = []
    private(set) var objections: [String] = []
    /// The change the cause began with; nil when it shows in no signal.
    var lead: Change?
    var trigger: Deploy?

    /// - Parameter prior: log odds before any evidence: most things that could be the cause are not.
    init(_ cause: CauseCode, prior: Double = -2) {
        self.cause = cause
        weight = prior
    }

    mutating func support(_ weight: Double, _ text: String) {
        self.weight += weight
        supports.append(text)
    }

    mutating func object(_ weight: Double, _ text: String) {
        self.weight -= weight
        objections.append(text)
    }

    /// An objection that counts as far as something else is believed; below an even chance it is not worth telling.
    mutating func object(_ weight: Double, times belief: Double, _ text: String) {
        if belief >= 0.5 { object(weight * belief, text) }
    }

    /// 0 to 1.
    var belief: Double { 1 / (1 + Self.exponential(-weight)) }

    private static func exponential(_ value: Double) -> Double {
        // The logistic function is flat beyond; no more precision is claimed.
        exp(max(-12, min(12, value)))
    }
}

/// Beliefs in the causes weighed so far.
struct Beliefs {
    private(set) var cases: [CauseCase] = []

    mutating func add(_ cause: CauseCase?) {
        if let cause { cases.append(cause) }
    }

    func belief(_ codes: CauseCode...) -> Double {
        cases.filter { codes.contains($0.cause) }.map(\.belief).max() ?? 0
    }

    subscript(_ code: CauseCode) -> CauseCase? {
        cases.first { $0.cause == code }
    }
}
