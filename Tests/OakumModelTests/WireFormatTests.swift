import Foundation
import OakumModel
import Testing

/// The JSON that outside readers rely on: names and shapes may be added to, never changed.
struct WireFormatTests {
    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test func `verdict codes keep their names`() {
        #expect(
            VerdictCode.allCases.map(\.rawValue) == [
                "leak", "cache_fill", "fragmentation", "load", "warm_up", "step", "steady", "not_enough_data",
            ])
    }

    @Test func `a verdict is written with its units, and read back`() throws {
        let verdict = Verdict(
            code: .leak, onsetSeconds: 5, decidedSeconds: 30, slope: Estimate(estimate: 2, low: 1, high: 3),
            timeToLimit: TimeToLimit(low: 8, high: nil), evidence: ["it grows"])
        let text = try json(verdict)
        #expect(
            text == #"{"decided_seconds":30,"evidence":["it grows"],"onset_seconds":5,"#
                + #""slope_per_s":{"estimate":2,"high":3,"low":1},"time_to_limit_s":{"low":8},"verdict":"leak"}"#)
        #expect(try JSONDecoder().decode(Verdict.self, from: Data(text.utf8)) == verdict)
    }

    @Test func `a sample leaves out what could not be read`() throws {
        let sample = Sample(at: Uptime(seconds: 1), rss: .mebibytes(2))
        #expect(try json(sample) == #"{"rss_bytes":2097152,"uptime_s":{"seconds":1}}"#)
        let full = Sample(
            at: Uptime(seconds: 1), rss: .mebibytes(2), anonymous: .mebibytes(1), cpuSeconds: 0.5, threads: 4,
            fileDescriptors: 9, requests: 100)
        #expect(try JSONDecoder().decode(Sample.self, from: Data(try json(full).utf8)) == full)
    }

    @Test func `an event is read back as it was written`() throws {
        let event = Event(
            kind: .recycleFinished, at: Moment(uptime: Uptime(seconds: 3), wall: WallTime(milliseconds: 1_700)),
            service: "web", worker: 3, process: ProcessIdentity(pid: 7, startTicks: 9), message: "done",
            facts: ["predicted_s": "38.1"])
        let text = try json(EventRecord(id: 12, event: event))
        #expect(text.contains(#""kind":"recycle_finished""#) && text.contains(#""wall":1700"#))
        #expect(
            try JSONDecoder().decode(EventRecord.self, from: Data(text.utf8)) == EventRecord(id: 12, event: event))
    }
}
