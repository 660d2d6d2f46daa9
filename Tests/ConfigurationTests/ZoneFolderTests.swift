import AlertRules
import Foundation
import OakumApp
import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite
struct ZoneFolderTests {
    private func problem(_ zones: ZoneFolder, _ name: String) -> String? {
        var zones = zones
        do throws(ZoneProblem) {
            _ = try zones.rules(named: name)
            return nil
        } catch {
            return error.words
        }
    }

    @Test func `a zone is read by its name, and no path leads out of the folder`() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder.file("zones/Test"), withIntermediateDirectories: true)
            try write("TZif", "zones/Test/Broken", in: folder)
            try write("secret", "outside", in: folder)
            let zones = ZoneFolder(path: folder.file("zones"))
            #expect(problem(zones, "Test/Broken")?.contains("cannot be used") ?? false)
            #expect(problem(zones, "Test/None") == "there is no time zone `Test/None`")
            #expect(problem(zones, "Test") == "there is no time zone `Test`")
            #expect(problem(zones, "../outside") == "`../outside` cannot be a time zone")
            #expect(problem(zones, folder.file("outside")) == "`\(folder.file("outside"))` cannot be a time zone")
            #expect(problem(zones, "UTC") == nil)
        }
    }

    @Test func `the host's zone is the one that TZ names, else the system's`() throws {
        var zones = ZoneFolder()
        #expect(try zones.host(environment: ["TZ": "Europe/Vienna"]).name == "Europe/Vienna")
        #expect(try zones.host(environment: ["TZ": ":UTC"]) == .utc)
        let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        let system = try zones.host(environment: [:])
        guard ProcessInfo.processInfo.environment["TZ"] == nil else { return }
        #expect(system.offsetSeconds(at: now) == TimeZone.current.secondsFromGMT())
    }

    @Test func `the offsets of a zone cover the year before and the years to come`() throws {
        var zones = ZoneFolder()
        let vienna = try zones.rules(named: "Europe/Vienna")
        let now = WallTime(milliseconds: 1_767_603_840_000)  // 2026-01-05
        let offsets = ZoneOffsets(vienna, around: now)
        for day in stride(from: Int64(-360), to: 3_650, by: 1) {
            let at = WallTime(milliseconds: now.milliseconds + day * 86_400_000)
            #expect(offsets.seconds(at: at) == vienna.offsetSeconds(at: at))
        }
        #expect(ZoneOffsets(.utc, around: now).seconds(at: now) == 0)
    }
}
