/// What is known of an incident's cause, gathered when it is opened and added to while it lasts.
package struct Evidence: Hashable, Sendable, Codable {
    package var worker: UInt32?
    package var process: ProcessIdentity?
    package var verdict: Verdict?
    /// The verdict and the forecast as one sentence.
    package var verdictSummary: String?
    package var rssBytes: Int64?
    package var budgetBytes: Int64?
    /// What leaks, the largest site first.
    package var heap: [HeapFinding]
    package var cause: CauseFinding?
    /// Log lines that belong to it, as templates with what they did.
    package var logs: [String]
    /// Deploys shortly before.
    package var deploys: [String]
    /// What Oakum does by itself: "recycled before the limit", "observe-only: nothing".
    package var acts: [String]

    package init(
        worker: UInt32? = nil, process: ProcessIdentity? = nil, verdict: Verdict? = nil, verdictSummary: String? = nil,
        rssBytes: Int64? = nil, budgetBytes: Int64? = nil, heap: [HeapFinding] = [], cause: CauseFinding? = nil,
        logs: [String] = [], deploys: [String] = [], acts: [String] = []
    ) {
        self.worker = worker
        self.process = process
        self.verdict = verdict
        self.verdictSummary = verdictSummary
        self.rssBytes = rssBytes
        self.budgetBytes = budgetBytes
        self.heap = heap
        self.cause = cause
        self.logs = logs
        self.deploys = deploys
        self.acts = acts
    }

    private enum CodingKeys: String, CodingKey {
        case worker, process, verdict, heap, cause, logs, deploys, acts
        case verdictSummary = "verdict_summary"
        case rssBytes = "rss_bytes"
        case budgetBytes = "budget_bytes"
    }
}

/// A diagnosis as incidents keep it: sentences.
package struct CauseFinding: Hashable, Sendable, Codable {
    /// Raw value of `Diagnosis.CauseCode`: "memory", "cpu", "unknown", …
    package var firstCause: String
    package var summary: String
    /// The likeliest first, each with its belief from 0 to 1.
    package var ranked: [RankedCause]
    /// "CPU rose 4 min after memory, in step with entries scanned".
    package var consequences: [String]
    /// "disk: 54 % free at worst".
    package var ruledOut: [String]
    /// What a restart now would buy, seconds.
    package var restartBuysSeconds: Estimate?

    package init(
        firstCause: String, summary: String, ranked: [RankedCause] = [], consequences: [String] = [],
        ruledOut: [String] = [], restartBuysSeconds: Estimate? = nil
    ) {
        self.firstCause = firstCause
        self.summary = summary
        self.ranked = ranked
        self.consequences = consequences
        self.ruledOut = ruledOut
        self.restartBuysSeconds = restartBuysSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case summary, ranked, consequences
        case firstCause = "first_cause"
        case ruledOut = "ruled_out"
        case restartBuysSeconds = "restart_buys_s"
    }
}

/// A cause that was weighed.
package struct RankedCause: Hashable, Sendable, Codable {
    package var cause: String
    package var belief: Double
    package var sentence: String

    package init(cause: String, belief: Double, sentence: String) {
        self.cause = cause
        self.belief = belief
        self.sentence = sentence
    }
}
