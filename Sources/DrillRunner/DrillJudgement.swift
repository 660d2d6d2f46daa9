import LoadGenerator
import OakumAPI
import OakumModel

/// Turns what the arms did into the report with its exit code. Pure.
enum DrillJudgement {
    /// Exit codes of a drill that ran to its end. (2: the document is wrong. 4: it could not be run.)
    enum Exit {
        static let passed: Int32 = 0
        static let failed: Int32 = 1
        /// The control arm did not fail, or the load was no evidence: nothing was shown, neither good nor bad.
        static let showsNothing: Int32 = 3
    }

    /// What one arm under Oakum did.
    struct Watched: Sendable {
        var load: LoadReport
        var findings: OakumFindings
        var journal: [EventRecord] = []
        /// Of the observed arm.
        var observed: ObservedFacts?
    }

    static func report(
        _ document: DrillDocument, control: ControlArm.Outcome?, protected: Watched, observed: Watched? = nil,
        patched: Watched?
    ) -> DrillReport {
        var report = DrillReport(
            scenario: document.scenario, exit: Exit.passed, reasons: [],
            control: control.map {
                ControlReport(
                    load: ArmNumbers($0.load), firstFailureSeconds: $0.load.firstFailureSeconds.map(rounded),
                    restarts: $0.restarts, wrongMove: $0.wrongMove)
            },
            protected: ProtectedReport(
                load: ArmNumbers(protected.load),
                impactOnsetSeconds: protected.load.firstFailureSeconds.map(rounded),
                findings: rounded(protected.findings)),
            observed: observed.flatMap { self.observed($0, document) },
            patched: patched.map {
                PatchedReport(load: ArmNumbers($0.load), verdict: $0.findings.verdict, alarms: $0.findings.alarms)
            },
            thenNow: [])
        report.thenNow = document.then.map { moment in
            ThenNow(what: moment.what, thenSeconds: moment.atSeconds, now: now(moment.now, report.protected))
        }
        judge(
            &report, document.expectations,
            notes: [.protected: protected.load.notes, .patched: patched?.load.notes ?? []])
        return report
    }

    private static func observed(_ arm: Watched, _ document: DrillDocument) -> ObservedReport? {
        guard let facts = arm.observed, let observation = document.observation else { return nil }
        let fixed = arm.load.startedAt + observation.fixedAtSeconds
        let acts = arm.journal.map(\.event).filter { $0.kind == .recycleStarted && $0.at.uptime < fixed }.map(\.message)
        return ObservedReport(
            arm.load, arm.findings, facts, observation.business,
            perSecond: observation.business.perSecond(document.load), acts: acts)
    }

    private static func judge(
        _ report: inout DrillReport, _ expectations: DrillExpectations, notes: [DrillArm: [String]]
    ) {
        let noEvidence = spoiledEvidence(report)
        let failures = (expectations.leak ? failedRequests(report, notes) : []) + falseAlarms(report)
        let shortfalls = shortfalls(report, expectations) + (report.observed?.shortfalls ?? [])
        let emptiness = emptiness(report, expectations) + (report.observed?.emptiness ?? [])
        report.reasons = noEvidence + failures + emptiness + shortfalls
        report.exit =
            if !noEvidence.isEmpty {
                Exit.showsNothing
            } else if !failures.isEmpty {
                Exit.failed
            } else if !emptiness.isEmpty {
                Exit.showsNothing
            } else if !shortfalls.isEmpty { Exit.failed } else { Exit.passed }
    }

    private static func spoiledEvidence(_ report: DrillReport) -> [String] {
        [
            (DrillArm.control, report.control?.load), (.protected, report.protected.load),
            (.observed, report.observed?.load), (.patched, report.patched?.load),
        ].compactMap { arm, load in
            load?.noEvidence.map { "the load of the \(arm.rawValue) arm is no evidence: \($0)" }
        }
    }

    private static func failedRequests(_ report: DrillReport, _ notes: [DrillArm: [String]]) -> [String] {
        [(DrillArm.protected, report.protected.load), (.patched, report.patched?.load)].compactMap { arm, load in
            guard let load, load.failed > 0 else { return nil }
            let first = notes[arm]?.first.map { "; the first: \($0)" } ?? ""
            return
                """
                \(load.failed) of \(load.requests) requests failed in the \(arm.rawValue) arm \
                (\(load.failures))\(first)
                """
        }
    }

    private static func falseAlarms(_ report: DrillReport) -> [String] {
        guard let alarms = report.patched?.alarms, let first = alarms.first else { return [] }
        return ["the patched arm raised \(alarms.count) alarms where nothing leaks; the first: \(first)"]
    }

    private static func emptiness(_ report: DrillReport, _ expectations: DrillExpectations) -> [String] {
        var result: [String] = []
        if expectations.leak, report.control?.load.failed == 0 {
            result.append(
                """
                no request failed in the control arm, so the drill shows nothing: \
                lower `memory_budget`, raise the fault's `bytes`, or give the arm more time
                """)
        }
        if expectations.leak, let control = report.control, control.load.failed > 0, control.restarts == 0 {
            result.append(
                """
                requests failed in the control arm, but no process reached its budget or died: it was not the fault \
                that made them fail (is the machine busy?)
                """)
        }
        if report.protected.load.requests < expectations.requestsAtLeast {
            result.append(
                """
                the protected arm saw \(report.protected.load.requests) requests, fewer than the \
                \(expectations.requestsAtLeast) expected
                """)
        }
        return result
    }

    private static func shortfalls(_ report: DrillReport, _ expectations: DrillExpectations) -> [String] {
        var result: [String] = []
        if !expectations.leak, report.protected.verdict == .leak {
            result.append("a leak was told where nothing leaks")
        }
        if expectations.leak, report.protected.verdict != .leak {
            result.append("the leak was not detected: the verdict was \(report.protected.verdict.rawValue)")
        }
        if let limit = expectations.detectedWithinSeconds, let detected = report.protected.detectedSeconds,
            detected > limit
        {
            result.append("the leak was detected after \(detected) s, later than the \(limit) s expected")
        }
        if report.protected.recycles < expectations.recyclesAtLeast {
            result.append(
                """
                \(report.protected.recycles) recycles finished, fewer than the \(expectations.recyclesAtLeast) \
                expected
                """
            )
        }
        result += causeShortfalls(report.protected, expectations)
        if let right = expectations.named {
            let naming = report.protected.naming ?? LeakNaming()
            result += naming.shortfalls(right, detectedSeconds: report.protected.detectedSeconds)
        }
        // Where nothing leaks and nobody suffers, a page would be the mistake.
        if expectations.leak, let paging = report.protected.paging {
            if paging.pagedSeconds == nil {
                result.append("nobody was paged")
            } else if !paging.pageHasCause, report.protected.naming != nil {
                result.append("the first page does not say: \(paging.missing.joined(separator: ", "))")
            }
        }
        return result
    }

    private static func causeShortfalls(
        _ report: ProtectedReport, _ expectations: DrillExpectations
    ) -> [String] {
        var result: [String] = []
        if let right = expectations.firstCause {
            if report.firstCause != right {
                result.append("the first cause was said to be \(report.firstCause ?? "unknown"), not \(right)")
            }
            if let limit = expectations.firstCauseWithinSeconds, let told = report.firstCauseSeconds, told > limit {
                result.append("the first cause was told after \(told) s, later than the \(limit) s expected")
            }
            if !report.misledBy.isEmpty {
                result.append("causes were told and taken back: \(report.misledBy.joined(separator: ", "))")
            }
        }
        if let percent = expectations.restartBuysWithinPercent {
            guard let predicted = report.restartBuys?.predicted, let observed = report.restartBuys?.observed else {
                return result + ["what a recycle buys was not both predicted and observed: give the arm more time"]
            }
            if abs(predicted - observed) > observed * percent / 100 {
                result.append(
                    "a recycle was expected to buy \(predicted) s and bought \(observed) s: off by more than \(percent) %"
                )
            }
        }
        return result
    }

    private static func now(_ moment: NowMoment?, _ protected: ProtectedReport) -> ThenNow.Now {
        let seconds: Double?
        switch moment {
        case .leakOnset: seconds = protected.leakOnsetSeconds
        case .impactOnset: seconds = protected.impactOnsetSeconds
        case .detected: seconds = protected.detectedSeconds
        case .recycled: seconds = protected.recycledSeconds
        case .named:
            guard let naming = protected.naming else { return .notMeasured }
            seconds = naming.namedSeconds
        case .paged:
            guard let paging = protected.paging else { return .notMeasured }
            seconds = paging.pagedSeconds
        case .acked:
            guard let paging = protected.paging else { return .notMeasured }
            seconds = paging.ackedSeconds
        case nil: return .notMeasured
        }
        return seconds.map { .after(seconds: $0) } ?? .never
    }

    private static func rounded(_ findings: OakumFindings) -> OakumFindings {
        var result = findings
        result.leakOnsetSeconds = findings.leakOnsetSeconds.map(rounded)
        result.detectedSeconds = findings.detectedSeconds.map(rounded)
        result.firstCauseSeconds = findings.firstCauseSeconds.map(rounded)
        result.recycledSeconds = findings.recycledSeconds.map(rounded)
        result.naming?.namedSeconds = findings.naming?.namedSeconds.map(rounded)
        return result
    }

    /// To a tenth of a second: the journal is no finer.
    private static func rounded(_ seconds: Double) -> Double {
        (seconds * 10).rounded() / 10
    }
}
