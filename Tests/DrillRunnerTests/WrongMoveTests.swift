import OakumModel
import Testing

@testable import DrillRunner

/// The historical wrong move and the cause that must be told.
struct WrongMoveTests {
    @Test func `memory before and after a restart is kept, and when it is back`() throws {
        var course = WrongMoveCourse(WrongMove(restartAtSeconds: 20), of: 2)
        var restarts: [Int] = []
        for second in 0..<60 {
            let sinceStart = second <= 20 ? second : second - 22
            let memory: [Int64?] = second == 21 ? [nil, nil] : [Int64(40 + sinceStart), Int64(30 + sinceStart)]
            if course.look(memory, at: Double(second)) { restarts.append(second) }
        }
        #expect(restarts == [20])
        let report = try #require(course.report)
        #expect(report.restartedSeconds == 20 && report.memoryBeforeBytes == 60 && report.memoryAfterBytes == 40)
        #expect(report.backAfterSeconds == 22)
    }

    @Test func `without its time there is no restart to report`() {
        var course = WrongMoveCourse(WrongMove(restartAtSeconds: 20), of: 1)
        for second in 0..<20 {
            let isDue = course.look([Int64(second)], at: Double(second))
            #expect(!isDue)
        }
        #expect(course.report == nil)
    }

    @Test func `the document's wrong move and cause are read, and nonsense is refused with its line`() throws {
        let text = goodDocument.replacing("arms:", with: "wrong_move: {restart_at: 25s}\narms:", maxReplacements: 1)
        #expect(try DrillDocumentReader.parse(text).wrongMove == WrongMove(restartAtSeconds: 25))
        for wrong in ["{restart_at: soon}", "{}", "{reboot: 3s}", "5"] {
            let text = goodDocument.replacing("arms:", with: "wrong_move: \(wrong)\narms:", maxReplacements: 1)
            #expect(throws: (any Error).self) { try DrillDocumentReader.parse(text) }
        }
    }

    private func diagnosed(_ facts: [String: String], at seconds: Double) -> EventRecord {
        let moment = Moment(
            uptime: Uptime(seconds: seconds), wall: WallTime(milliseconds: Int64(seconds * 1_000)))
        return EventRecord(
            id: Int64(seconds), event: Event(kind: .diagnosed, at: moment, service: "little", message: "", facts: facts)
        )
    }

    private func report(_ journal: [EventRecord], _ expectations: DrillExpectations) throws -> DrillReport {
        var document = try DrillDocumentReader.parse(goodDocument)
        document.expectations = expectations
        let start = Uptime(seconds: 1_000)
        return DrillJudgement.report(
            document, control: .init(load: loadReport(requests: 20_000, failed: 812, at: 41.23), restarts: 2),
            protected: .init(
                load: loadReport(),
                findings: OakumFindings(journal: leakJournal + journal, lastVerdicts: [], startedAt: start)),
            patched: .init(
                load: loadReport(requests: 17_000),
                findings: OakumFindings(journal: [], lastVerdicts: [.steady], startedAt: start)))
    }

    @Test func `the first cause told must be the right one, with nothing taken back`() throws {
        let right = DrillExpectations(firstCause: "memory")
        let good = try report([diagnosed(["first_cause": "memory", "misled_by": ""], at: 1_031)], right)
        #expect(good.exit == 0 && good.protected.firstCause == "memory" && good.protected.misledBy == [])
        let misled = try report(
            [
                diagnosed(["first_cause": "cpu", "misled_by": ""], at: 1_031),
                diagnosed(["first_cause": "cpu", "misled_by": "cpu"], at: 1_041),
            ], right)
        #expect(misled.exit == 1 && misled.protected.firstCause == "cpu" && misled.protected.misledBy == ["cpu"])
        #expect(misled.reasons.contains("causes were told and taken back: cpu"), "\(misled.reasons)")
        #expect(try report([], right).reasons == ["the first cause was said to be unknown, not memory"])
    }

    @Test func `the forecast of what a recycle buys is held against what it bought`() throws {
        // 35.5 s were expected, 32 s observed.
        #expect(try report([], DrillExpectations(restartBuysWithinPercent: 25)).exit == 0)
        #expect(try report([], DrillExpectations(restartBuysWithinPercent: 5)).exit == 1)
    }
}
