import Foundation
import FoundationXML
import OakumModel
import Testing

@testable import LoadGenerator

/// Each format against text that has everything awkward in it.
struct ReportTests {
    private func outcome(thresholds: [String] = ["p99 < 1s", "errors < 0.1%"], seconds: Int = 30) throws -> LoadOutcome
    {
        var recorder = LoadRecorder(streamNames: ["GET /a?b=<c>&\"d\"", "sign-up"])
        for second in 0..<seconds {
            for number in 0..<100 {
                recorder.dispatched(lateBy: 100_000)
                let fails = second == 7 && number == 3
                recorder.ended(
                    stream: number % 2,
                    fails
                        ? .failed(.http5xx, status: 500, detail: "<script>alert(1)</script>\u{1}")
                        : .answered(status: 200), latency: Int64(1 + number % 10) * 1_000_000, at: Double(second) + 0.5)
            }
        }
        var report = recorder.report(startedAt: Uptime(seconds: 5), seconds: Double(seconds))
        report.busyShare = 0.12
        report.bytesReceived = 2_000_000
        var memory = TargetMemory()
        for number in 0..<(seconds * 4) {
            memory.add(
                TargetMemory.Sample(seconds: Double(number) / 4, residentBytes: 40 << 20 + UInt64(number) << 14))
        }
        let limits = try thresholds.map { try LoadThreshold(parsing: $0) }
        return LoadOutcome(
            name: "a <b> & \"c\"", targets: ["http://127.0.0.1:8080"], load: "open loop, 100/s for 30 s", loop: .open,
            startedAt: "2026-11-22 10:00:00 UTC", seed: 7, report: report, memory: memory,
            judgement: LoadJudgement(report, loop: .open, thresholds: limits, memory: memory))
    }

    /// Element names in order of appearance; nil when the text is not well-formed.
    private func elements(_ xml: String) -> [String]? {
        final class Names: NSObject, XMLParserDelegate {
            var all: [String] = []

            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) {
                all.append(name)
            }
        }
        let names = Names()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = names
        return parser.parse() ? names.all : nil
    }

    @Test func `the text says what was measured`() throws {
        let expected = """
            a <b> & "c": PASSED: every threshold holds

              open loop, 100/s for 30 s
              http://127.0.0.1:8080

              3,000 requests in 30 s, 100.0/s answered as expected, 1 failed (1 http_5xx)

              request           requests  failed      p50      p90      p99    p99.9      max
              all                  3,000       1  5.00 ms  9.01 ms  10.0 ms  10.0 ms  10.0 ms
              GET /a?b=<c>&"d"     1,500       0  5.00 ms  9.00 ms  9.00 ms  9.00 ms  9.01 ms
              sign-up              1,500       1  6.00 ms  10.0 ms  10.0 ms  10.0 ms  10.0 ms

              latency counts from the schedule

              memory of the target: 40.0 MiB at first, 41.9 MiB at last, 41.9 MiB at most, growth after the warm-up 1.3 MiB

              thresholds:
                held      p99 < 1s: 10.0 ms
                held      errors < 0.1%: 0.033 %

              generator: used 12 % of a processor, sent at most 0.10 ms late (p99), 0 connections opened, 1.9 MiB received

              first failures:
                7.5 s: sign-up http_5xx (status 500): <script>alert(1)</script>\u{1}
            """
        let lines = LoadText.render(try outcome()).split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == wanted.count)
        for (line, expected) in zip(lines, wanted) { #expect(line == expected) }
    }

    @Test func `the JSON has the verdict, the figures and the curve`() throws {
        let encoder = JSONEncoder()
        let data = try encoder.encode(try outcome())
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["verdict"] as? String == "passed")
        #expect(object["exit"] as? Int == 0)
        #expect(object["answered_per_s"] as? Double ?? 0 > 99)
        let report = try #require(object["report"] as? [String: Any])
        #expect(report["requests"] as? Int == 3_000)
        #expect((report["failed_by_kind"] as? [String: Int]) == ["http_5xx": 1])
        #expect((report["latency"] as? [String: Double])?["p99_ms"] ?? 0 > 9)
        #expect((report["timeline"] as? [Any])?.count == 30)
        let curve = try #require(object["latency_curve"] as? [[String: Double]])
        #expect(zip(curve, curve.dropFirst()).allSatisfy { ($0["ms"] ?? 0) <= ($1["ms"] ?? 0) })
        let memory = try #require(object["memory"] as? [String: Any])
        #expect(memory["first_bytes"] as? Int == 40 << 20)
        #expect((memory["samples"] as? [Any])?.count == 120)
        let thresholds = try #require(object["thresholds"] as? [[String: Any]])
        #expect(thresholds.map { $0["state"] as? String } == ["held", "held"])
    }

    @Test func `the page stands alone, is well-formed, and runs nothing`() throws {
        let page = LoadHTML.render(try outcome())
        let names = try #require(elements(page))
        #expect(names.count { $0 == "svg" } == 4)
        #expect(names.count { $0 == "polyline" } == 3 + 2 + 1 + 1)
        #expect(names.count { $0 == "table" } == 2)
        for foreign in ["script", "link", "img", "iframe", "object", "a"] { #expect(!names.contains(foreign)) }
        for mark in ["src=", "href=", "url(", "@import", "<script"] { #expect(!page.contains(mark), "\(mark)") }
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("NaN") && !page.contains("inf"))
        #expect(page.utf8.count < 100_000)
    }

    @Test func `a long run's page stays small, and an empty one says so`() throws {
        let long = LoadHTML.render(try outcome(seconds: 5_000))
        #expect(elements(long) != nil)
        #expect(long.utf8.count < 200_000, "\(long.utf8.count)")
        var recorder = LoadRecorder(streamNames: ["a"])
        let report = recorder.report(startedAt: Uptime(seconds: 1), seconds: 1)
        var empty = try outcome()
        empty.report = report
        empty.memory = TargetMemory()
        empty.judgement = LoadJudgement(report, loop: .open)
        let page = LoadHTML.render(empty)
        #expect(elements(page) != nil)
        #expect(page.contains("NOTHING MEASURED"))
        #expect(elements(LoadJUnit.render(empty)) != nil)
    }

    @Test func `a stretch without an answer is zero in the plot, not a line across it`() throws {
        var stalled = try outcome()
        stalled.report.timeline.removeAll { (10..<20).contains($0.second) }
        let page = LoadHTML.render(stalled)
        let plot = try #require(page.split(separator: "<h2>").first { $0.hasPrefix("Requests a second") })
        let line = try #require(plot.split(separator: "points=\"").dropFirst().first?.split(separator: "\"").first)
        let heights = line.split(separator: " ").compactMap { $0.split(separator: ",").last.map(String.init) }
        #expect(heights.count == 30)
        #expect(Set(heights[10..<20]).count == 1)
        #expect(heights[9] != heights[10])
    }

    @Test func `JUnit has a case for the evidence and one for each threshold`() throws {
        let outcome = try outcome(thresholds: ["p99 < 1s", "p50 < 1ms", "p99.99 < 1s"])
        let xml = LoadJUnit.render(outcome)
        let names = try #require(elements(xml))
        #expect(names.count { $0 == "testcase" } == 4)
        #expect(names.count { $0 == "failure" } == 1)
        #expect(names.count { $0 == "error" } == 1)
        #expect(xml.contains("tests=\"4\" failures=\"1\" errors=\"1\""))
        #expect(xml.contains("name=\"p50 &lt; 1ms\""))
        #expect(!xml.contains("\u{1}"))
    }

    @Test(arguments: [1e-6, 0.3, 1, 7, 9.99, 10, 123, 5_000, 1e9])
    func `ticks are round, few, and reach the top`(most: Double) {
        let (values, limit) = SVGPlot.ticks(to: most)
        #expect((2...8).contains(values.count))
        #expect(values[0] == 0)
        #expect(limit >= most * (1 - 1e-9))
        #expect(limit <= most * 2)
    }

    @Test func `progress is a line`() {
        var snapshot = LoadSnapshot()
        snapshot.phase = .sending
        snapshot.seconds = 12.3
        snapshot.requests = 6_150
        snapshot.failures[.refused] = 2
        snapshot.failed = 2
        snapshot.p99Milliseconds = 3.456
        snapshot.openConnections = 8
        #expect(
            LoadText.progress(snapshot, of: 30, memoryBytes: 40 << 20)
                == "12 s of 30 s, 6,150 requests, 2 refused, p99 3.46 ms, 8 connections, target 40.0 MiB")
    }
}
