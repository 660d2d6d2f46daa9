import LoadGenerator
import OakumModel
import Testing

@testable import DrillRunner

/// A load report with a few numbers in it.
func loadReport(
    requests: UInt64 = 30_000, failed: UInt64 = 0, at firstFailure: Double? = nil, noEvidence: String? = nil
) -> LoadReport {
    var failures = FailureCounts()
    failures[.refused] = failed
    return LoadReport(
        startedAt: Uptime(seconds: 1_000), seconds: 75, requests: requests, failed: failed, failures: failures,
        firstFailureSeconds: firstFailure, lastFailureSeconds: firstFailure, latency: nil, worstP99Milliseconds: 12.5,
        notes: failed > 0 ? ["41.2 s: sign-up refused: connection refused"] : [], noEvidence: noEvidence)
}

/// A journal from (kind, seconds after the first request at uptime 1,000 s, verdict, facts).
func journal(_ events: [(EventKind, Double, Verdict?, [String: String])]) -> [EventRecord] {
    events.enumerated().map { number, event in
        EventRecord(
            id: Int64(number + 1),
            event: Event(
                kind: event.0,
                at: Moment(uptime: Uptime(seconds: 1_000 + event.1), wall: WallTime(milliseconds: 0)),
                service: "leaker", worker: 1, message: "\(event.0.rawValue) at \(event.1)", verdict: event.2,
                facts: event.3))
    }
}

let leakJournal = journal([
    (.workerReady, -2, nil, [:]),
    (.verdict, 10, Verdict(code: .warmUp), [:]),
    (.verdict, 30.04, Verdict(code: .leak, onsetSeconds: 1_002), [:]),
    (.recycleStarted, 30.1, nil, [:]),
    (.recycleFinished, 33.11, nil, ["predicted_s": "35.5", "took_s": "3.0"]),
    (.slopeAfterwards, 50, Verdict(code: .leak, onsetSeconds: 1_035), ["predicted_s": "35.5"]),
    (.slopeAfterwards, 64, nil, ["predicted_s": "35.5", "observed_s": "32.0"]),
    (.recycleFinished, 67, nil, ["predicted_s": "40.0"]),
])

struct FindingsTests {
    private let start = Uptime(seconds: 1_000)

    @Test func `detection, onset, recycle and what it bought are read from the journal`() {
        let findings = OakumFindings(journal: leakJournal, lastVerdicts: [.warmUp, .steady], startedAt: start)
        #expect(findings.verdict == .leak)
        #expect(abs((findings.detectedSeconds ?? 0) - 30.04) < 0.001)
        #expect(findings.leakOnsetSeconds == 2)
        #expect(abs((findings.recycledSeconds ?? 0) - 33.11) < 0.001)
        #expect(findings.recycles == 2)
        #expect(findings.bought == .init(predictedSeconds: 35.5, observedSeconds: 32))
        #expect(findings.alarms.count == 3)
    }

    @Test func `a quiet journal has no alarm and no times`() {
        let findings = OakumFindings(
            journal: journal([(.workerReady, 1, nil, [:]), (.verdict, 9, Verdict(code: .steady), [:])]),
            lastVerdicts: [.steady, .warmUp], startedAt: start)
        #expect(findings.verdict == .warmUp)
        #expect(findings.detectedSeconds == nil)
        #expect(findings.recycledSeconds == nil)
        #expect(findings.bought == nil)
        #expect(findings.alarms.isEmpty)
    }

    @Test func `a recycle not yet compared has a forecast alone`() {
        let findings = OakumFindings(journal: Array(leakJournal.prefix(6)), lastVerdicts: [], startedAt: start)
        #expect(findings.bought == .init(predictedSeconds: 35.5, observedSeconds: nil))
    }

    @Test func `the name of the leak is read from the journal, and held against the right answer`() throws {
        let finding = HeapFinding(
            site: "VerificationContext.init(account:byteCount:) (ForgetfulVerification.swift:58)",
            function: "VerificationContext.init(account:byteCount:)", fingerprint: "f", type: "[UInt8]",
            chain: ["static Store.shared", "Store", "Context", "[UInt8]"], liveBytes: 1, share: 1, tookSeconds: 1)
        var named = journal([(.leakNamed, 33.04, nil, [:])])
        named[0].event.heap = [finding]
        let findings = OakumFindings(
            journal: leakJournal + named, lastVerdicts: [], startedAt: start, samplesHeap: true)
        let naming = try #require(findings.naming)
        #expect(abs((naming.namedSeconds ?? 0) - 33.04) < 0.001)
        var right = DrillExpectations.Name(
            withinSeconds: 10, site: "VerificationContext.init", type: "[UInt8]", chain: ["static Store", "[UInt8]"])
        #expect(naming.shortfalls(right, detectedSeconds: 30) == [])
        right.withinSeconds = 2
        right.site = "elsewhere"
        right.type = "String"
        right.chain = ["[UInt8]", "static Store"]
        let reasons = naming.shortfalls(right, detectedSeconds: 30)
        #expect(reasons.count == 4, "\(reasons)")
        #expect(LeakNaming().shortfalls(right, detectedSeconds: 30) == ["the leak was not named"])
        #expect(OakumFindings(journal: named, lastVerdicts: [], startedAt: start).naming == nil)
    }

    @Test func `what began before the first request is put at its start`() {
        let findings = OakumFindings(
            journal: journal([(.verdict, -1, Verdict(code: .leak, onsetSeconds: 990), [:])]), lastVerdicts: [],
            startedAt: start)
        #expect(findings.detectedSeconds == 0)
        #expect(findings.leakOnsetSeconds == 0)
    }

    @Test func `without any verdict the answer is not enough data`() {
        #expect(OakumFindings(journal: [], lastVerdicts: [], startedAt: start).verdict == .notEnoughData)
    }
}

struct JudgementTests {
    struct Case: Sendable {
        var name: String
        var exit: Int32
        var reason: String?
        var control = loadReport(requests: 20_000, failed: 812, at: 41.2)
        var restarts = 2
        var protected = loadReport()
        var patched = loadReport()
        var protectedJournal = leakJournal
        var patchedJournal: [EventRecord] = []
    }

    static let cases: [Case] = [
        Case(name: "all as it should be", exit: 0, reason: nil),
        Case(
            name: "protected failed", exit: 1, reason: "3 of 30000 requests failed in the protected arm (3 refused)",
            protected: loadReport(failed: 3, at: 41.2)),
        Case(
            name: "patched failed", exit: 1, reason: "failed in the patched arm",
            patched: loadReport(failed: 1, at: 1)),
        Case(
            name: "not detected", exit: 1, reason: "the verdict was steady",
            protectedJournal: journal([(.recycleFinished, 20, nil, [:])])),
        Case(
            name: "false alarm", exit: 1, reason: "the patched arm raised 1 alarms",
            patchedJournal: journal([(.verdict, 9, Verdict(code: .leak), [:])])),
        Case(
            name: "needless recycle", exit: 1, reason: "recycle_finished at 9",
            patchedJournal: journal([(.recycleFinished, 9, nil, [:])])),
        Case(
            name: "detected too late", exit: 1, reason: "later than the 60.0 s expected",
            protectedJournal: journal([
                (.verdict, 61, Verdict(code: .leak), [:]), (.recycleFinished, 62, nil, [:]),
            ])),
        Case(
            name: "never recycled", exit: 1, reason: "0 recycles finished, fewer than the 1 expected",
            protectedJournal: journal([(.verdict, 6, Verdict(code: .leak), [:])])),
        Case(
            name: "control held", exit: 3, reason: "the drill shows nothing", control: loadReport(requests: 20_000)),
        Case(
            name: "control failed for another reason", exit: 3, reason: "it was not the fault", restarts: 0),
        Case(
            name: "control held, nothing detected", exit: 3, reason: "the drill shows nothing",
            control: loadReport(requests: 20_000), protectedJournal: []),
        Case(
            name: "control held, protected failed", exit: 1, reason: "in the protected arm",
            control: loadReport(requests: 20_000), protected: loadReport(failed: 1, at: 3)),
        Case(
            name: "too few requests", exit: 3, reason: "19999 requests, fewer than the 20000 expected",
            protected: loadReport(requests: 19_999)),
        Case(
            name: "a generator that could not keep up", exit: 3,
            reason: "the load of the patched arm is no evidence: sent late",
            patched: loadReport(failed: 9, at: 1, noEvidence: "sent late")),
    ]

    private func report(_ number: Int) throws -> DrillReport {
        var document = try DrillDocumentReader.parse(goodDocument)
        document.expectations = DrillExpectations(
            requestsAtLeast: 20_000, detectedWithinSeconds: 60, recyclesAtLeast: 1)
        let start = Uptime(seconds: 1_000)
        let given = Self.cases[number]
        return DrillJudgement.report(
            document, control: .init(load: given.control, restarts: given.restarts),
            protected: .init(
                load: given.protected,
                findings: OakumFindings(journal: given.protectedJournal, lastVerdicts: [.steady], startedAt: start)),
            patched: .init(
                load: given.patched,
                findings: OakumFindings(journal: given.patchedJournal, lastVerdicts: [.steady], startedAt: start)))
    }

    @Test(arguments: cases.indices)
    func `the exit code follows from what the arms did`(number: Int) throws {
        let given = Self.cases[number]
        let report = try report(number)
        #expect(report.exit == given.exit, "\(given.name): \(report.reasons)")
        guard let reason = given.reason else {
            #expect(report.reasons.isEmpty)
            return
        }
        #expect(report.reasons.contains { $0.contains(reason) }, "\(given.name): \(report.reasons)")
    }

    @Test func `moments of the incident stand beside those of the drill`() throws {
        let moments = try report(0).thenNow
        #expect(moments[0] == ThenNow(what: "an alert", thenSeconds: 0, now: .after(seconds: 30)))
        #expect(moments[1] == ThenNow(what: "it is over", thenSeconds: 3_600, now: .notMeasured))
    }

    @Test func `people get the verdict, the arms and both timelines`() throws {
        let text = words(DrillText.render(try report(0)))
        #expect(text.contains("drill little: PASSED"))
        #expect(text.contains("requests 20,000 30,000 30,000 failed 812 0 0 refused 812 0 0"), "\(text)")
        #expect(text.contains("an alert 0 min 30.0 s it is over 60 min not measured"), "\(text)")
        let failed = DrillText.render(try report(1))
        #expect(failed.contains("FAILED"))
        #expect(words(failed).contains("the first: 41.2 s: sign-up refused"), "\(failed)")
        #expect(failed.split(separator: "\n").allSatisfy { $0.count <= 110 }, "\(failed)")
        #expect(DrillText.render(try report(10)).contains("SHOWS NOTHING"))
    }

    /// The text with its columns and line ends as single spaces.
    private func words(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
