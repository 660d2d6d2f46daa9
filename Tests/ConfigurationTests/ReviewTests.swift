import AlertRules
import Foundation
import Incidents
import OakumApp
import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite
struct ReviewTests {
    /// 2026-01-05 09:04 UTC, a Monday.
    private let now = WallTime(milliseconds: 1_767_603_840_000)

    @Test func `a review tells who is on call, and where nobody is in the week to come`() async throws {
        try await withTemporaryFolder { folder in
            let text = """
                people: [{name: ada, contact: {channel: pages}}, {name: ben}]
                schedules:
                  - name: primary
                    time_zone: UTC
                    rotation: {every: 1d, start: 2026-01-05 09:00, members: [ada, ben], hours: {days: Mon-Sat, from: "00:00", to: "24:00"}}
                policies: [{name: default, steps: [{notify: schedule primary}]}]

                """
            try write(text + oneService, "oakum.yaml", in: folder)
            let review = ConfigurationReview.of(folder.file("oakum.yaml"), at: now)
            #expect(review.isUsable)
            #expect(review.onCall.map(\.words) == ["ada until Tue 2026-01-06 09:00 UTC, then ben"])
            #expect(
                review.warnings.map(\.words) == [
                    "line 1: `ben` cannot be reached (`contact: [{channel: …, address: …}]`)"
                ])
            #expect(
                review.gaps.map(\.words) == [
                    "nobody who can be reached is on call from Tue 2026-01-06 09:00 UTC to Wed 2026-01-07 09:00 UTC "
                        + "and 4 more times (48.1 % covered)"
                ])
            #expect(review.channels.map(\.kind) == ["file", "console"])
            let json = try JSONEncoder().encode(review)
            #expect(try JSONDecoder().decode(ConfigurationReview.self, from: json) == review)
        }
    }

    @Test func `a configuration that cannot be used is told with its line`() async throws {
        try await withTemporaryFolder { folder in
            try write("people: [{name: ada, contact: {channel: fax}}]\n" + oneService, "oakum.yaml", in: folder)
            let review = ConfigurationReview.of(folder.file("oakum.yaml"), at: now)
            #expect(!review.isUsable)
            #expect(review.problem?.line == 1)
            #expect(review.problem?.message == "there is no channel `fax`")
            #expect(
                ConfigurationReview.of(folder.file("none.yaml"), at: now).problem?.message == "there is no such file")
        }
    }

    @Test func `the example can be used`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let example = root.appending(path: "examples/registration/oakum.yaml")
        let text = try String(contentsOf: example, encoding: .utf8)
            .replacingOccurrences(of: "../../.build/release/registrar", with: "/bin/true")
        let configuration = try ConfigurationFile.parse(text, folder: example.deletingLastPathComponent())
        #expect(configuration.response.warnings.isEmpty)
        #expect(configuration.response.plan.problems(at: now, until: now).isEmpty)
        #expect(configuration.services[0].alerts.business.map(\.name) == ["sign-ups"])
    }
}
