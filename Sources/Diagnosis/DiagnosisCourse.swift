/// The diagnoses of one incident over time: which cause was named first, and which names had to be taken back.
///
/// A signal that looks causal and is a consequence misleads only when a diagnosis put it first: `misledBy` is about what
/// was told to people, not about what could have been believed. Bounded: each cause counts once.
package struct DiagnosisCourse: Hashable, Sendable, Codable {
    /// A cause that led, since when.
    package struct Lead: Hashable, Sendable, Codable {
        package var cause: CauseCode
        package var seconds: Double
    }

    /// The causes that led, in the order they were first told.
    package private(set) var leads: [Lead] = []
    package private(set) var current: CauseCode?

    package init() {}

    /// Takes in the latest diagnosis. One without a cause changes nothing: what was told stays told.
    ///
    /// - Returns: true when another cause leads now, which is worth telling.
    @discardableResult
    package mutating func add(_ diagnosis: Diagnosis) -> Bool {
        guard diagnosis.outcome == .cause, let cause = diagnosis.firstCause, cause != current else { return false }
        // From "CPU" to "a CPU-bound deploy" nothing is taken back: it is the same lead, known better.
        if let current, Self.isSharper(cause, than: current) { leads.removeAll { $0.cause == current } }
        current = cause
        if !leads.contains(where: { $0.cause == cause }) {
            leads.append(Lead(cause: cause, seconds: diagnosis.until))
        }
        return true
    }

    /// The first cause that was named and not taken back by a sharper name; nil before any was.
    package var firstCause: CauseCode? { leads.first?.cause }

    /// Causes that led at some time and do not lead now, in the order they were told.
    package var misledBy: [CauseCode] { leads.map(\.cause).filter { $0 != current } }

    private static func isSharper(_ new: CauseCode, than old: CauseCode) -> Bool {
        switch (old, new) {
        case (.cpu, .cpuBoundDeploy), (.deploy, .cpuBoundDeploy), (.deploy, .cpu): true
        default: false
        }
    }

    private enum CodingKeys: String, CodingKey {
        case leads, current
    }
}
