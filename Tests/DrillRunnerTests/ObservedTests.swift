import Foundation
import LoadGenerator
import OakumModel
import OakumTestKit
import Spawning
import StrictYAML
import Testing

@testable import DrillRunner

private let start = Uptime(seconds: 1_000)

/// Wall time so many seconds after the first request.
private func wall(_ seconds: Double) -> WallTime { WallTime(milliseconds: 5_000_000 + Int64(seconds * 1_000)) }

private func told(_ seconds: Double, _ text: String) -> PageReceiver.Arrival {
    PageReceiver.Arrival(
        at: start + seconds,
        page: ReceivedPage(
            type: "page",
            data: .init(
                id: "m-\(seconds)", kind: .stakeholders, incident: 1, title: text, lines: [], facts: [])))
}

private func loss(_ from: Double, _ until: Double?, _ actual: Double, of expected: Double) -> Impact {
    Impact(
        what: "sign-ups", service: "leaker", actual: actual,
        expected: Estimate(estimate: expected, low: expected, high: expected), from: wall(from),
        until: until.map(wall), basis: "the same hour of 4 earlier Sundays", isOfBusiness: true)
}

private func incident(_ losses: [Impact], onset: Double? = 40, restored: Double? = 60) -> Incident {
    Incident(
        id: 1, title: "leaker: memory leak", service: "leaker", kind: .memoryLeak, severity: .critical,
        fingerprint: "f",
        milestones: Milestones(
            impactOnset: onset.map(wall), detected: wall(30), restored: restored.map(wall)), impact: losses,
        updated: wall(70))
}

/// 10 a second are answered, but for the 20 s from second 40 on, when it is 2.
private let marks: [AnswerRecord.Mark] = stride(from: 0.0, through: 80, by: 0.5).map { seconds in
    let lost = max(0, min(seconds, 60) - 40) * 8
    return AnswerRecord.Mark(at: start + seconds, answered: UInt64((seconds * 10 - lost).rounded()))
}

private func report(
    _ messages: [PageReceiver.Arrival], _ incident: Incident?, acts: [String] = [], verdict: VerdictCode = .leak
) -> ObservedReport {
    let business = CountedBusiness(
        name: "sign-ups", metric: "signups_total", labels: [], stream: 0, days: 28, tolerancePoints: 10)
    return ObservedReport(
        loadReport(failed: 160, at: 40), OakumFindings(journal: [], lastVerdicts: [verdict], startedAt: start),
        ObservedFacts(
            kills: 2, marks: marks, messages: messages, incident: incident,
            clock: Moment(uptime: start + 70, wall: wall(70))), business, perSecond: 10, acts: acts)
}

private let first = told(44, "leaker: sign-ups 8 of 40 expected, −80 %, since 10:00 EST; cause known")
private let last = told(
    66, "leaker: sign-ups 41 of 198 expected, −79 %, since 10:00 EST; restored 10:01 EST; cause known")

struct ObservedReportTests {
    @Test func `the last message is held against what the load counted in the time it is about`() throws {
        let report = report([first, last], incident([loss(40, 60, 41, of: 198)]))
        let business = try #require(report.business)
        #expect(business.told == 41 && business.expectedTold == 198)
        #expect(business.counted == 40 && business.expectedCounted == 200)
        #expect(business.percentCounted == -80 && business.isRight)
        #expect(report.impactOnsetSeconds == 40 && report.leadTimeSeconds == 10)
        #expect(report.messageSeconds == 44 && report.restoredSeconds == 60)
        #expect(report.shortfalls == [] && report.emptiness == [])
    }

    @Test func `a loss that came twice is summed`() throws {
        let report = report(
            [told(66, "leaker: sign-ups 22 of 100 expected, −78 %, since 10:00 EST; restored 10:01 EST")],
            incident([loss(40, 45, 12, of: 50), loss(55, 60, 10, of: 50)]))
        let business = try #require(report.business)
        #expect(business.counted == 20 && business.expectedCounted == 100 && business.isRight)
        #expect(business.fromSeconds == 40 && business.untilSeconds == 60)
    }

    @Test func `wrong numbers, silence, acts and what never ended are told`() {
        let wrong = told(66, "leaker: sign-ups 100 of 198 expected, −49 %, since 10:00 EST; restored 10:01 EST")
        #expect(
            report([wrong], incident([loss(40, 60, 100, of: 198)])).shortfalls == [
                "the business was told sign-ups −49.5 % of 198.0 expected; the load counted −80.0 % of 200.0"
            ])
        #expect(report([], incident([loss(40, 60, 41, of: 198)])).shortfalls == ["the business was told nothing"])
        let vague = report(
            [told(44, "leaker: users notice a fault, since 10:00 EST; restored 10:01 EST")],
            incident([loss(40, 60, 41, of: 198)]))
        #expect(vague.shortfalls.count == 1 && vague.business == nil)
        let busy = report(
            [told(66, "leaker: sign-ups 41 of 198 expected, −79 %, since 10:00 EST")],
            incident([loss(40, 60, 41, of: 198)], restored: nil), acts: ["leaker/1 is replaced"],
            verdict: .steady)
        #expect(busy.shortfalls.count == 3, "\(busy.shortfalls)")
    }

    @Test func `without an impact the arm shows nothing`() {
        let quiet = report([], incident([], onset: nil, restored: nil))
        #expect(quiet.emptiness.count == 1 && quiet.shortfalls == [])
        #expect(report([], nil).emptiness.count == 1)
    }

    @Test(arguments: [
        ("leaker: sign-ups 205 of 412 expected, −50 %, since 10:00", 205.0, 412.0),
        ("sign-ups 0 of 7 expected", 0, 7),
    ])
    func `numbers are read as a reader reads them`(text: String, actual: Double, expected: Double) throws {
        let numbers = try #require(ObservedReport.numbers(of: "sign-ups", in: text))
        #expect(numbers.actual == actual && numbers.expected == expected)
    }

    @Test(arguments: [
        "", "sign-ups", "sign-ups of expected", "orders 1 of 2 expected", "sign-ups x of 3 expected",
        "sign-ups 1 of y expected", "sign-ups 1 of 2",
    ])
    func `a text without numbers has none`(text: String) {
        #expect(ObservedReport.numbers(of: "sign-ups", in: text) == nil)
    }

    @Test(arguments: [true, false])
    func `a report survives its JSON`(isWhole: Bool) throws {
        let report = isWhole ? report([first, last], incident([loss(40, 60, 41, of: 198)])) : report([], nil)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(ObservedReport.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        for field in ["impact_s", "lead_time_s", "message_s", "restored_s", "business", "messages", "kills"] {
            #expect(text.contains("\"\(field)\":"), "\(field)")
        }
        #expect(text.contains("\"numbers_right\":true") == isWhole)
    }
}

struct AnswerRecordTests {
    @Test func `counts between looks lie on a straight line, and outside of them nothing came`() {
        #expect(AnswerRecord.answered(marks, from: start, until: start + 40) == 400)
        #expect(AnswerRecord.answered(marks, from: start + 40.25, until: start + 41.25) == 2)
        #expect(AnswerRecord.answered(marks, from: start + 70, until: start + 500) == 100)
        #expect(AnswerRecord.answered(marks, from: start + 50, until: start + 50) == nil)
        #expect(AnswerRecord.answered([], from: start, until: start + 1) == nil)
    }

    @Test func `only the stream that the business counts is recorded, and only what is newer`() {
        let record = AnswerRecord(stream: 1)
        var snapshot = LoadSnapshot()
        record.look(snapshot)
        snapshot.startedAt = start
        snapshot.answered = [5]
        record.look(snapshot)
        snapshot.answered = [5, 3]
        record.look(snapshot)
        record.look(snapshot)
        snapshot.seconds = 2
        snapshot.answered = [9, 7]
        record.look(snapshot)
        #expect(record.all == [.init(at: start, answered: 3), .init(at: start + 2, answered: 7)])
    }
}

struct BusinessPastTests {
    @Test func `earlier days bring what the load brings, the same hours of each, with the spread of chance`() {
        let now = WallTime(milliseconds: 1_700_000_123_456)
        let spans = BusinessPast.spans(perSecond: 25, days: 28, before: now, seed: 7)
        #expect(spans.count == 28 * 48)
        #expect(spans == spans.sorted { $0.start < $1.start } && Set(spans.map(\.start)).count == spans.count)
        #expect(spans.allSatisfy { $0.start.milliseconds % 300_000 == 0 && $0.seconds == 300 })
        #expect(spans.allSatisfy { $0.start.milliseconds < now.milliseconds - 20 * 3_600_000 })
        let mean = spans.reduce(0) { $0 + $1.count } / Double(spans.count)
        let variance = spans.reduce(0) { $0 + ($1.count - mean) * ($1.count - mean) } / Double(spans.count)
        #expect(abs(mean - 7_500) < 15)
        #expect((0.8...1.2).contains(variance / mean))
        #expect(BusinessPast.spans(perSecond: 25, days: 28, before: now, seed: 7) == spans)
        #expect(BusinessPast.spans(perSecond: 25, days: 28, before: now, seed: 8) != spans)
    }
}

struct ObservationReaderTests {
    private static let block = """
        arms: {control: 3s, protected: 1s, observed: 90s, patched: 1s}
        observed:
          fault_bytes: 1MiB
          timeout: 3s
          restart_takes: 25s
          fixed_at: 60s
          business: {name: checks, metric: checks_total, labels: {outcome: live}, request: check}
        """

    private func document(_ block: String) throws -> DrillDocument {
        let old = "arms: {control: 3s, protected: 1s, patched: 1s}"
        #expect(goodDocument.contains(old))
        return try DrillDocumentReader.parse(goodDocument.replacingOccurrences(of: old, with: block))
    }

    @Test func `the observed arm is read whole`() throws {
        let document = try document(Self.block)
        let observation = try #require(document.observation)
        #expect(document.arms.observed == 90)
        #expect(observation.fault(document.fault)?.bytes == 1 << 20)
        #expect(observation.load(document.load).timeoutSeconds == 3 && document.load.timeoutSeconds == 2)
        #expect(observation.restartSeconds == 25 && observation.fixedAtSeconds == 60)
        #expect(observation.business.name == "checks" && observation.business.metric == "checks_total")
        #expect(observation.business.labels.map(\.key) == ["outcome"])
        #expect(observation.business.perSecond(document.load) == 40 && observation.business.days == 28)
    }

    @Test(arguments: ["registration-leak", "cache-leak"])
    func `the shipped drills have it, with a request that the business counts`(name: String) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let document = try DrillDocumentReader.load("/\(root)/examples/drills/\(name).md")
        let observation = try #require(document.observation)
        #expect(try #require(document.arms.observed) - observation.fixedAtSeconds >= 30)
        #expect(observation.business.perSecond(document.load) >= 20)
        let bytes = try #require(observation.fault(document.fault)?.bytes)
        #expect(bytes <= (try #require(document.fault?.bytes)))
    }

    @Test(arguments: [
        ("observed: 90s, ", "", "no such arm"),
        ("fixed_at: 60s", "fixed_at: 90s", "after the arm's end"),
        ("request: check", "request: sign-up", "no request `sign-up`"),
        ("  fixed_at: 60s\n", "", "fixed_at"),
        ("name: checks, ", "", "name"),
        ("restart_takes", "restart_lasts", "restart_lasts"),
    ])
    func `what does not fit is refused`(old: String, new: String, message: String) throws {
        #expect(Self.block.contains(old))
        let problem = #expect(throws: YAMLProblem.self) {
            try document(Self.block.replacingOccurrences(of: old, with: new))
        }
        #expect(try #require(problem).description.contains(message), "\(String(describing: problem))")
    }

    @Test func `an arm without what it needs is refused`() throws {
        let problem = #expect(throws: YAMLProblem.self) {
            try document("arms: {control: 3s, protected: 1s, observed: 90s, patched: 1s}")
        }
        #expect(try #require(problem).description.contains("observed"))
    }
}

@Suite(.timeLimit(.minutes(1)))
struct LauncherTests {
    private func lines(_ launcher: Launcher, _ log: String) async throws -> [String] {
        let process = try SpawnedProcess([launcher.path], environment: [], logPath: log)
        #expect(try await eventually("it ends") { process.exitNow() } == .code(0))
        return (TextFile.text(log) ?? "").split(separator: "\n").map(String.init)
    }

    @Test func `a start is held up once it is hindered, until another build is installed`() async throws {
        try await withTemporaryFolder { folder in
            let launcher = Launcher(folder: folder.path, restartSeconds: 0.6)
            try launcher.install(["/bin/echo", "the first, with 'quotes'"])
            #expect(try await lines(launcher, folder.file("1")) == ["the first, with 'quotes'"])
            try launcher.hinder()
            let begin = uptimeNow()
            #expect(try await lines(launcher, folder.file("2")) == ["the first, with 'quotes'"])
            #expect(uptimeNow() - begin >= 0.6)
            let held = Launcher(folder: folder.path, restartSeconds: 3_600)
            try held.install(["/bin/echo", "the second"])
            try held.hinder()
            try held.install(["/bin/echo", "the third"])
            #expect(try await lines(held, folder.file("3")) == ["the third"])
        }
    }
}
