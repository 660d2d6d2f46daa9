import Foundation
import OakumModel
import Testing

@testable import DrillRunner

/// The JSON that outside readers rely on: fields may be added, never renamed.
struct ReportFormatTests {
    private func report(_ protectedJournal: [EventRecord]) throws -> DrillReport {
        let document = try DrillDocumentReader.parse(goodDocument)
        let start = Uptime(seconds: 1_000)
        return DrillJudgement.report(
            document, control: .init(load: loadReport(requests: 20_000, failed: 812, at: 41.23), restarts: 2),
            protected: .init(
                load: loadReport(),
                findings: OakumFindings(
                    journal: protectedJournal, lastVerdicts: [], startedAt: start,
                    ownMemory: OwnMemory(first: 40).adding(60).adding(50))),
            patched: .init(
                load: loadReport(requests: 17_000),
                findings: OakumFindings(journal: [], lastVerdicts: [.steady], startedAt: start)))
    }

    private func json(_ report: DrillReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    /// As outside readers know it.
    private static let passed = """
        {
          "control" : {
            "failed" : 812,
            "failed_by_kind" : {
              "refused" : 812
            },
            "first_failure_s" : 41.2,
            "requests" : 20000,
            "restarts" : 2,
            "worst_p99_ms" : 12.5
          },
          "exit" : 0,
          "patched" : {
            "alarms" : [

            ],
            "failed" : 0,
            "failed_by_kind" : {

            },
            "requests" : 17000,
            "verdict" : "steady",
            "worst_p99_ms" : 12.5
          },
          "protected" : {
            "detected_s" : 30,
            "failed" : 0,
            "failed_by_kind" : {

            },
            "first_cause" : null,
            "first_cause_s" : null,
            "impact_onset_s" : null,
            "leak_onset_s" : 2,
            "misled_by" : [

            ],
            "oakum_rss_bytes" : {
              "first" : 40,
              "last" : 50,
              "peak" : 60
            },
            "recycled_s" : 33.1,
            "recycles" : 2,
            "requests" : 30000,
            "restart_buys_s" : {
              "observed" : 32,
              "predicted" : 35.5
            },
            "verdict" : "leak",
            "worst_p99_ms" : 12.5
          },
          "reasons" : [

          ],
          "scenario" : "little",
          "then_now" : [
            {
              "now_s" : 30,
              "then_s" : 0,
              "what" : "an alert"
            },
            {
              "then_s" : 3600,
              "what" : "it is over"
            }
          ]
        }
        """

    @Test func `a passed drill is written as its readers expect it`() throws {
        #expect(try json(report(leakJournal)) == Self.passed)
    }

    @Test func `what did not happen is null, what is not built is absent`() throws {
        let text = try json(report([]))
        for field in ["impact_onset_s", "detected_s", "recycled_s", "leak_onset_s", "now_s"] {
            #expect(text.contains("\"\(field)\" : null"), "\(field)")
        }
        for field in ["named_s", "paged_s", "acked_s", "site", "type", "chain", "page_has_cause", "wrong_move"] {
            #expect(!text.contains("\"\(field)\""), "\(field)")
        }
    }

    @Test(arguments: [true, false])
    func `a report survives its JSON`(leaks: Bool) throws {
        let report = try report(leaks ? leakJournal : [])
        #expect(try JSONDecoder().decode(DrillReport.self, from: try JSONEncoder().encode(report)) == report)
    }
}
