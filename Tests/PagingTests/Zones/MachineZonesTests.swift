// Foundation: reads the machine's zone files.
import Foundation
import OakumTestKit
import Paging
import Spawning
import Testing

private let zones = "/usr/share/zoneinfo/"

/// The zones of this machine, in the form its distribution compiles them, against its C library (through `date`).
@Suite(
    .serialized, .timeLimit(.minutes(5)), .enabled(if: FileManager.default.fileExists(atPath: zones + "Europe/Vienna")))
struct MachineZonesTests {
    @Test func `every zone file of the machine is read`() throws {
        var count = 0
        for name in try Self.names() {
            let zone = try ZoneRules(name: name, file: try Self.bytes(name))
            #expect(zone.civil(at: 1_800_000_000) > CivilTime(seconds: 1_799_900_000))
            count += 1
        }
        #expect(count > 100)
    }

    @Test func `clocks show what date shows`() async throws {
        let all = try Self.names()
        let full = ProcessInfo.processInfo.environment["FULL"] != nil
        var generator = SeededGenerator(seed: 7)
        for name in full ? all : Array(all.shuffled(using: &generator).prefix(30)) {
            let zone = try ZoneRules(name: name, file: try Self.bytes(name))
            var instants = (0..<200).map { _ in Int64(generator.int(-2_208_988_800...7_258_118_400)) }
            var change: Int64 = 1_577_836_800
            for _ in 0..<30 {
                guard let next = zone.nextTransition(after: change) else { break }
                instants += [next - 1, next]
                change = next
            }
            let shown = try await Self.date(name, instants)
            #expect(shown.count == instants.count)
            for (at, line) in zip(instants, shown) {
                let period = zone.period(at: at)
                #expect(line == "\(Self.hours(period)) \(period.abbreviation)", "\(name) at \(at)")
            }
        }
    }

    private static func date(_ zone: String, _ instants: [Int64]) async throws -> [String] {
        try await withTemporaryFolder { folder in
            let input = folder.file("instants")
            try instants.map { "@\($0)\n" }.joined().write(toFile: input, atomically: true, encoding: .utf8)
            return try await withProcess("/usr/bin/date", ["-f", input, "+%::z %Z"], environment: ["TZ": zone]) {
                process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(0))
                return process.output().split(separator: "\n").map(String.init)
            }
        }
    }

    /// `date` writes "-00:00:00" where the zone says by its name (-00) that the time is not known.
    private static func hours(_ period: ZonePeriod) -> String {
        let seconds = period.offsetSeconds
        let rest = abs(seconds)
        let fields = [rest / 3_600, rest / 60 % 60, rest % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return (seconds < 0 || period.abbreviation == "-00" ? "-" : "+") + fields.joined(separator: ":")
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: zones + name)))
    }

    private static func names() throws -> [String] {
        let found = try FileManager.default.subpathsOfDirectory(atPath: zones)
        return found.filter { name in
            ZoneRules.isName(name) && name.contains("/") && !name.hasPrefix("right/") && !name.hasPrefix("posix/")
                && (FileManager.default.contents(atPath: zones + name)?.starts(with: Array("TZif".utf8)) ?? false)
        }.sorted()
    }
}
