import Foundation
import OakumTestKit
import Spawning
import Testing

/// `oakum analyze` as a user meets it: verdicts, JSON, exit codes, and errors that name file and line.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct AnalyzeTests {
    private static let mebibyte = 1_048_576

    /// A worker read once a second: a floor of 50 MiB with a little noise, and from `onset` on a leak.
    private static func recording(seconds: Int, onset: Int?, bytesPerSecond: Int = 800_000) -> String {
        var lines = ["seconds,rss_bytes,requests_total"]
        for second in 0..<seconds {
            let leaked = onset.map { max(0, second - $0) * bytesPerSecond } ?? 0
            lines.append("\(second),\(50 * mebibyte + (second * 7_919) % 65_536 + leaked),\(second * 25)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func gzip(_ path: String) async throws {
        try await withProcess("/bin/gzip", [path]) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0), "\(process.output())")
        }
    }

    @Test func `a folder with a leak and a healthy worker, packed or not, exit 2`() async throws {
        try await withTemporaryFolder { folder in
            try Self.write(Self.recording(seconds: 600, onset: 300), folder.file("leaky.csv"))
            try Self.write(Self.recording(seconds: 600, onset: nil), folder.file("healthy.csv"))
            try Self.write("not a series", folder.file("README.txt"))
            try await Self.gzip(folder.file("leaky.csv"))
            let result = try await run("oakum", ["analyze", folder.path, "--limit", "512MiB", "--json"])
            #expect(result.code == 2, "\(result.output)")
            let json = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]])
            let series = try #require(json["series"])
            #expect(series.map { $0["name"] as? String } == ["healthy", "leaky"])
            #expect(series.map { $0["verdict"] as? String } == ["steady", "leak"])
            let onset = try #require(series[1]["onset_seconds"] as? Double)
            #expect(abs(onset - 300) < 30)
            let slope = try #require(series[1]["slope_bytes_per_s"] as? [String: Double])
            #expect(try #require(slope["low"]) < 801_000 && #require(slope["high"]) > 799_000)
            #expect((series[1]["evidence"] as? [String])?.isEmpty == false)
            #expect(series[1]["decided_seconds"] is Double)
            #expect(series[1]["time_to_limit_s"] is [String: Any])
        }
    }

    @Test func `healthy, exit 0; too short, exit 3; without readings, exit 4`() async throws {
        try await withTemporaryFolder { folder in
            for (seconds, code, words) in [(600, 0, "none leaks"), (5, 3, "too short"), (0, 4, "")]
                as [(Int, Int32, String)]
            {
                let file = folder.file("series.csv")
                try Self.write(Self.recording(seconds: seconds, onset: nil), file)
                let result = try await run("oakum", ["analyze", file])
                #expect(result.code == code, "\(result.output)")
                #expect(words.isEmpty || result.output.contains(words), "\(result.output)")
            }
        }
    }

    @Test(arguments: [
        ("seconds,rss_bytes\n0,1\n1,lots\n", "line 3: \"lots\" in column rss_bytes is no number"),
        ("when,rss_bytes\n", "line 1: the first column is called \"when\""), ("", "the file is empty"),
    ])
    func `a malformed file is told with its line, exit 5`(text: String, words: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.file("bad.csv")
            try Self.write(text, file)
            let result = try await run("oakum", ["analyze", file])
            #expect(result.code == 5, "\(result.output)")
            #expect(result.output.contains(words) && result.output.contains("bad.csv"), "\(result.output)")
        }
    }

    @Test func `a cut gzip file, a missing file and an empty folder are told, exit 5`() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.file("cut.csv")
            try Self.write(Self.recording(seconds: 600, onset: nil), file)
            try await Self.gzip(file)
            let packed = try Data(contentsOf: URL(filePath: file + ".gz"))
            try packed.prefix(packed.count / 2).write(to: URL(filePath: file + ".gz"))
            let cut = try await run("oakum", ["analyze", file + ".gz"])
            #expect(cut.code == 5 && cut.output.contains("the gzip data is damaged"), "\(cut.output)")
            let missing = try await run("oakum", ["analyze", folder.file("none.csv")])
            #expect(missing.code == 5 && missing.output.contains("there is no such file"), "\(missing.output)")
            try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: false)
            let empty = try await run("oakum", ["analyze", folder.file("empty")])
            #expect(empty.code == 5 && empty.output.contains("no .csv"), "\(empty.output)")
            let usage = try await run("oakum", ["analyze", file, "--limit", "much"])
            #expect(usage.code == 64 && usage.output.contains("256MiB"), "\(usage.output)")
        }
    }
}
