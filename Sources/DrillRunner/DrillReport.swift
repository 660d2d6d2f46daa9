package import LoadGenerator
package import OakumModel

/// The outcome of a drill: the JSON of `oakum drill FILE --json`. Times are seconds after the first request of the arm.
package struct DrillReport: Hashable, Sendable, Codable {
    package var scenario: String
    package var exit: Int32
    /// Why the exit code is what it is, in sentences; empty when all holds.
    package var reasons: [String]
    /// Absent when the arm was not run.
    package var control: ControlReport?
    package var protected: ProtectedReport
    /// Absent when the arm was not run.
    package var observed: ObservedReport?
    package var patched: PatchedReport?
    package var thenNow: [ThenNow]

    private enum CodingKeys: String, CodingKey {
        case scenario, exit, reasons, control, protected, observed, patched
        case thenNow = "then_now"
    }
}

/// What happened then.
package struct ControlReport: Hashable, Sendable, Codable {
    package var load: ArmNumbers
    package var firstFailureSeconds: Double?
    package var restarts: Int
    /// Absent when the document has none.
    package var wrongMove: WrongMoveReport?

    private enum CodingKeys: String, CodingKey {
        case restarts
        case firstFailureSeconds = "first_failure_s"
        case wrongMove = "wrong_move"
    }

    package init(
        load: ArmNumbers, firstFailureSeconds: Double?, restarts: Int, wrongMove: WrongMoveReport? = nil
    ) {
        self.load = load
        self.wrongMove = wrongMove
        self.firstFailureSeconds = firstFailureSeconds
        self.restarts = restarts
    }

    package init(from decoder: any Decoder) throws {
        load = try ArmNumbers(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        firstFailureSeconds = try container.decodeIfPresent(Double.self, forKey: .firstFailureSeconds)
        restarts = try container.decode(Int.self, forKey: .restarts)
        wrongMove = try container.decodeIfPresent(WrongMoveReport.self, forKey: .wrongMove)
    }

    package func encode(to encoder: any Encoder) throws {
        try load.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(firstFailureSeconds, forKey: .firstFailureSeconds)
        try container.encode(restarts, forKey: .restarts)
        try container.encodeIfPresent(wrongMove, forKey: .wrongMove)
    }
}

/// The numbers every arm has.
package struct ArmNumbers: Hashable, Sendable, Codable {
    package var requests: UInt64
    package var failed: UInt64
    package var failures: FailureCounts
    package var worstP99Milliseconds: Double?
    /// Why the load of this arm is no evidence; nil when it is.
    package var noEvidence: String?

    private enum CodingKeys: String, CodingKey {
        case requests, failed
        case failures = "failed_by_kind"
        case worstP99Milliseconds = "worst_p99_ms"
        case noEvidence = "no_evidence"
    }

    package init(_ report: LoadReport) {
        requests = report.requests
        failed = report.failed
        failures = report.failures
        worstP99Milliseconds = report.worstP99Milliseconds
        noEvidence = report.noEvidence
    }
}

/// The same fault under Oakum. Fields of parts that are not built yet (site, chain, pages) are absent.
package struct ProtectedReport: Hashable, Sendable, Codable {
    package var load: ArmNumbers
    package var leakOnsetSeconds: Double?
    package var impactOnsetSeconds: Double?
    package var detectedSeconds: Double?
    package var recycledSeconds: Double?
    package var recycles: Int
    package var verdict: VerdictCode
    package var restartBuys: RestartBuys?
    /// Resident memory of `oakum` itself during the arm; absent when it never told.
    package var ownMemory: OwnMemory?
    /// Absent when the workers carried no sampler.
    package var naming: LeakNaming?
    /// The first cause that was told, and causes that were told and taken back.
    package var firstCause: String?
    /// After the first request; nil when none was told.
    package var firstCauseSeconds: Double?
    package var misledBy: [String]
    /// The first page, and who took it on; absent when nobody was to be paged.
    package var paging: PagingReport?

    private enum CodingKeys: String, CodingKey {
        case verdict, recycles
        case leakOnsetSeconds = "leak_onset_s"
        case impactOnsetSeconds = "impact_onset_s"
        case detectedSeconds = "detected_s"
        case recycledSeconds = "recycled_s"
        case restartBuys = "restart_buys_s"
        case ownMemory = "oakum_rss_bytes"
        case firstCause = "first_cause"
        case firstCauseSeconds = "first_cause_s"
        case misledBy = "misled_by"
    }

    init(load: ArmNumbers, impactOnsetSeconds: Double?, findings: OakumFindings) {
        self.load = load
        self.impactOnsetSeconds = impactOnsetSeconds
        leakOnsetSeconds = findings.leakOnsetSeconds
        detectedSeconds = findings.detectedSeconds
        recycledSeconds = findings.recycledSeconds
        recycles = findings.recycles
        verdict = findings.verdict
        ownMemory = findings.ownMemory
        naming = findings.naming
        firstCause = findings.firstCause
        firstCauseSeconds = findings.firstCauseSeconds
        misledBy = findings.misledBy
        paging = findings.pages.map(PagingReport.init)
        restartBuys = findings.bought.map { RestartBuys(predicted: $0.predictedSeconds, observed: $0.observedSeconds) }
    }

    package init(from decoder: any Decoder) throws {
        load = try ArmNumbers(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        leakOnsetSeconds = try container.decodeIfPresent(Double.self, forKey: .leakOnsetSeconds)
        impactOnsetSeconds = try container.decodeIfPresent(Double.self, forKey: .impactOnsetSeconds)
        detectedSeconds = try container.decodeIfPresent(Double.self, forKey: .detectedSeconds)
        recycledSeconds = try container.decodeIfPresent(Double.self, forKey: .recycledSeconds)
        recycles = try container.decode(Int.self, forKey: .recycles)
        verdict = try container.decode(VerdictCode.self, forKey: .verdict)
        restartBuys = try container.decodeIfPresent(RestartBuys.self, forKey: .restartBuys)
        ownMemory = try container.decodeIfPresent(OwnMemory.self, forKey: .ownMemory)
        naming = try LeakNaming(ifPresentIn: decoder)
        firstCauseSeconds = try container.decodeIfPresent(Double.self, forKey: .firstCauseSeconds)
        firstCause = try container.decodeIfPresent(String.self, forKey: .firstCause)
        misledBy = try container.decodeIfPresent([String].self, forKey: .misledBy) ?? []
        paging = try PagingReport(ifPresentIn: decoder)
    }

    /// What did not happen is null, not absent.
    package func encode(to encoder: any Encoder) throws {
        try load.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(leakOnsetSeconds, forKey: .leakOnsetSeconds)
        try container.encode(impactOnsetSeconds, forKey: .impactOnsetSeconds)
        try container.encode(detectedSeconds, forKey: .detectedSeconds)
        try container.encode(recycledSeconds, forKey: .recycledSeconds)
        try container.encode(recycles, forKey: .recycles)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(restartBuys, forKey: .restartBuys)
        try container.encodeIfPresent(ownMemory, forKey: .ownMemory)
        try container.encode(firstCause, forKey: .firstCause)
        try container.encode(firstCauseSeconds, forKey: .firstCauseSeconds)
        try container.encode(misledBy, forKey: .misledBy)
        try naming?.encode(to: encoder)
        try paging?.encode(to: encoder)
    }
}

/// Resident memory over an arm, bytes: at its first and last look, and the most at any.
package struct OwnMemory: Hashable, Sendable, Codable {
    package private(set) var first: Int64
    package private(set) var last: Int64
    package private(set) var peak: Int64

    init(first: Int64) {
        self.first = first
        last = first
        peak = first
    }

    func adding(_ bytes: Int64) -> OwnMemory {
        var result = self
        result.last = bytes
        result.peak = max(peak, bytes)
        return result
    }
}

/// How long a recycle was expected to last and how long it did; null where there is no answer yet.
package struct RestartBuys: Hashable, Sendable, Codable {
    package var predicted: Double?
    package var observed: Double?

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(predicted, forKey: .predicted)
        try container.encode(observed, forKey: .observed)
    }
}

/// The repaired build under Oakum.
package struct PatchedReport: Hashable, Sendable, Codable {
    package var load: ArmNumbers
    package var verdict: VerdictCode
    /// Leak verdicts and recycles, in words.
    package var alarms: [String]

    private enum CodingKeys: String, CodingKey {
        case verdict, alarms
    }

    package init(load: ArmNumbers, verdict: VerdictCode, alarms: [String]) {
        self.load = load
        self.verdict = verdict
        self.alarms = alarms
    }

    package init(from decoder: any Decoder) throws {
        load = try ArmNumbers(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        verdict = try container.decode(VerdictCode.self, forKey: .verdict)
        alarms = try container.decode([String].self, forKey: .alarms)
    }

    package func encode(to encoder: any Encoder) throws {
        try load.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(alarms, forKey: .alarms)
    }
}

/// A moment of the incident beside its counterpart.
package struct ThenNow: Hashable, Sendable, Codable {
    /// Whether and when it happened in the drill.
    package enum Now: Hashable, Sendable {
        /// It has no counterpart, or the part of Oakum that would measure it is not built: the field is absent.
        case notMeasured
        /// It did not happen: null.
        case never
        case after(seconds: Double)
    }

    package var what: String
    package var thenSeconds: Double
    package var now: Now

    private enum CodingKeys: String, CodingKey {
        case what
        case thenSeconds = "then_s"
        case nowSeconds = "now_s"
    }

    package init(what: String, thenSeconds: Double, now: Now) {
        self.what = what
        self.thenSeconds = thenSeconds
        self.now = now
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        what = try container.decode(String.self, forKey: .what)
        thenSeconds = try container.decode(Double.self, forKey: .thenSeconds)
        now = .notMeasured
        guard container.contains(.nowSeconds) else { return }
        now = try container.decodeIfPresent(Double.self, forKey: .nowSeconds).map { .after(seconds: $0) } ?? .never
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(what, forKey: .what)
        try container.encode(thenSeconds, forKey: .thenSeconds)
        switch now {
        case .notMeasured: break
        case .never: try container.encodeNil(forKey: .nowSeconds)
        case .after(let seconds): try container.encode(seconds, forKey: .nowSeconds)
        }
    }
}
