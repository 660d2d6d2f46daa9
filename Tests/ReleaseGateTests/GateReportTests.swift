import Foundation  // JSON
import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

@Suite struct GateReportTests {
    private static let leaking: GateReport = {
        var draws = SeededGenerator(seed: 12)
        var shape = WorkerShape()
        shape.hasLatency = true
        var leak = shape
        leak.leakMiBPerHour = 240
        leak.descriptorsPerHour = 500
        return SimulatedCanary(candidate: leak, baseline: shape, seconds: 7_200, step: 30, using: &draws).play()
    }()

    @Test func `a report is read as it was written`() throws {
        let report = Self.leaking
        #expect(report.verdict == .fail)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(GateReport.self, from: data) == report)
    }

    @Test func `evidence has estimate, interval, size of the sample, threshold and smallest effect`() throws {
        let data = try JSONEncoder().encode(Self.leaking)
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        func evidence(_ signal: String) throws -> [String: Any] {
            let finding = try #require(json[signal] as? [String: Any])
            #expect(finding["verdict"] is String && finding["reason"] is String)
            return try #require(finding["evidence"] as? [String: Any])
        }
        for (signal, keys) in [
            ("liveness", ["candidate", "observed_s", "threshold", "smallest_seen_per_worker_h"]),
            ("errors", ["ratio", "candidate", "threshold", "smallest_seen_share", "log_likelihood_ratio"]),
            ("latency", ["candidate_s", "ratio", "candidate_requests", "threshold", "smallest_seen_ratio"]),
            ("cpu", ["candidate_cpu_s_per_request", "ratio", "blocks", "threshold", "smallest_seen_ratio"]),
            (
                "memory",
                [
                    "slope_bytes_per_request", "slope_bytes_per_h", "requests_per_s", "blocks", "time_to_limit_s",
                    "fails_below_s", "passes_above_s", "smallest_seen_bytes_per_request", "smallest_seen_bytes_per_h",
                    "open_fds_per_1000_requests", "limit_bytes", "metric",
                ]
            ),
        ] {
            let found = try evidence(signal)
            for key in keys { #expect(found[key] != nil, "\(signal).\(key)") }
        }
    }

    @Test func `every key is in snake case`() throws {
        let data = try JSONEncoder().encode(Self.leaking)
        func check(_ value: Any) {
            if let object = value as? [String: Any] {
                for (key, inner) in object {
                    #expect(!key.contains { !($0.isLowercase || $0.isNumber || $0 == "_") }, "\(key)")
                    check(inner)
                }
            } else if let list = value as? [Any] {
                list.forEach(check)
            }
        }
        check(try JSONSerialization.jsonObject(with: data))
    }

    @Test func `people read the verdict first, then a line for each signal`() {
        let lines = Self.leaking.lines
        #expect(lines.count == 6)
        #expect(lines[0].hasPrefix("canary fails after "))
        let memory = lines.first { $0.hasPrefix("FAIL  memory: ") } ?? ""
        #expect(memory.contains("MiB/h") && memory.contains("the limit in"), "\(lines)")
        #expect(lines.contains { $0.hasPrefix("pass  errors: ") && $0.contains("would have been told") })
    }

    @Test func `latency counts that do not rise are refused, also from JSON`() throws {
        #expect(LatencyCounts(bounds: [0.1, 0.1], counts: [1, 2], total: 3) == nil)
        #expect(LatencyCounts(bounds: [0.1, 0.2], counts: [2, 1], total: 3) == nil)
        #expect(LatencyCounts(bounds: [0.1, 0.2], counts: [1, 2], total: 1) == nil)
        #expect(LatencyCounts(bounds: [], counts: [], total: 1) == nil)
        #expect(LatencyCounts(bounds: [0.1, .nan], counts: [1, 2], total: 3) == nil)
        let good = try #require(LatencyCounts(bounds: [0.1, 0.2], counts: [1, 2], total: 3))
        let data = try JSONEncoder().encode(good)
        #expect(try JSONDecoder().decode(LatencyCounts.self, from: data) == good)
        let bad = Data(#"{"bounds_s":[0.2,0.1],"counts":[1,2],"total":3}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(LatencyCounts.self, from: bad) }
    }

    @Test func `a record of memory is read as it was written`() throws {
        let record = MemoryRecord(
            release: "1.4.2", workers: [[MemoryPoint(seconds: 5, requests: 10, bytesInUse: 7)]])
        let data = try JSONEncoder().encode(record)
        #expect(String(decoding: data, as: UTF8.self).contains("\"bytes_in_use\":7"))
        #expect(try JSONDecoder().decode(MemoryRecord.self, from: data) == record)
    }
}
