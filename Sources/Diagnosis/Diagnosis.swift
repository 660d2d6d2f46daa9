package import OakumModel

/// What came first, what follows from what, what is ruled out and by which number, and what is not known.
///
/// `Diagnosis(observations)` is pure: the same observations give the same words. Times are on the observations' axis.
package struct Diagnosis: Hashable, Sendable, Codable {
    package enum Outcome: String, Hashable, Sendable, Codable {
        /// A cause is more likely than not.
        case cause
        /// Something is wrong, and nothing explains it well enough.
        case unknown
        /// Nothing that matters changed.
        case nothingWrong = "nothing_wrong"
        case notEnoughData = "not_enough_data"
    }

    package var outcome: Outcome
    /// The cause held to be first in the chain; `unknown` when none is; nil when nothing is wrong.
    package var firstCause: CauseCode?
    /// One sentence or two for people: "CPU rose 4 min after memory, in step with entries scanned; memory is the cause; a
    /// restart buys 11 min".
    package var summary: String
    /// All that were weighed, the likeliest first.
    package var hypotheses: [Hypothesis]
    /// What changed, in the order it began.
    package var onsets: [Onset]
    package var consequences: [Consequence]
    package var ruledOut: [RuledOut]
    /// What was not measured, or too little of it, in words.
    package var notKnown: [String]
    /// What a restart now would buy, seconds; nil when memory does not grow, or its level after a restart is not known.
    package var restartBuys: Estimate?
    /// Kinds of log lines that belong to the trouble, the most certain first.
    package var logs: [LogEvidence]
    /// The window that was weighed.
    package var from: Double
    package var until: Double

    /// The likeliest cause; nil when nothing was weighed.
    package var leading: Hypothesis? { hypotheses.first }

    /// "host memory, disk and network healthy: 54 % available at worst, …": what was looked at and cleared, in one sentence;
    /// nil when nothing of the kind was measured.
    package var healthy: String? {
        let surroundings = ruledOut.filter { Self.surroundings.contains($0.what) }
        guard !surroundings.isEmpty else { return nil }
        return "\(Phrases.list(surroundings.map(\.what))) healthy: "
            + surroundings.map(\.because).joined(separator: "; ")
    }

    private static let surroundings: Set<String> = ["host memory", "disk", "network", "processors of the host"]

    /// At this belief a hypothesis is told as the cause. Below, "not known" is more often right.
    package static let leastBelief = 0.6

    private enum CodingKeys: String, CodingKey {
        case outcome, summary, hypotheses, onsets, consequences, logs
        case firstCause = "first_cause"
        case ruledOut = "ruled_out"
        case notKnown = "not_known"
        case restartBuys = "restart_buys_s"
        case from = "from_s"
        case until = "until_s"
    }
}

/// A cause that was weighed.
package struct Hypothesis: Hashable, Sendable, Codable {
    package var cause: CauseCode
    /// 0 to 1: how far the evidence carries; two may both be true.
    package var belief: Double
    /// One sentence.
    package var sentence: String
    package var evidence: [String]
    package var against: [String]
    /// Since when, as far as a signal shows it.
    package var onset: Estimate?
    /// A release just before.
    package var trigger: Deploy?

    private enum CodingKeys: String, CodingKey {
        case cause, belief, sentence, against, trigger
        case evidence = "for"
        case onset = "onset_s"
    }
}

/// A signal that changed.
package struct Onset: Hashable, Sendable, Codable {
    package var signal: SignalKind
    package var name: String?
    /// With its 95 % interval.
    package var at: Estimate
    /// It may have begun before the first reading.
    package var isOpen: Bool
    package var before: Double
    package var after: Double
    package var sentence: String

    private enum CodingKeys: String, CodingKey {
        case signal, name, before, after, sentence
        case at = "at_s"
        case isOpen = "may_be_earlier"
    }
}

/// A symptom and what it follows from.
package struct Consequence: Hashable, Sendable, Codable {
    package var symptom: SignalKind
    package var name: String?
    package var of: CauseCode
    /// Seconds by which it began after the cause, with its 95 % interval.
    package var lag: Estimate?
    /// Correlation of its level with the cause's own signal, −1 to 1.
    package var inStep: Double?
    package var sentence: String

    private enum CodingKeys: String, CodingKey {
        case symptom, name, of, sentence
        case lag = "lag_s"
        case inStep = "correlation"
    }
}

/// Something that is not the cause, and the number that says so.
package struct RuledOut: Hashable, Sendable, Codable {
    /// "host memory", "disk", "network", "traffic", "deploys", …
    package var what: String
    /// The number in words: "61 % available at worst".
    package var because: String

    package var sentence: String { "\(what): \(because)" }

    private enum CodingKeys: String, CodingKey {
        case what, because
    }
}
