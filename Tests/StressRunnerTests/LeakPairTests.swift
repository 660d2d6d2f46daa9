import Foundation
import LeakTrial
import OakumTestKit
import Spawning
import StressRunner
import Testing

/// `oakum stress` on real programs that leak, and on their repaired twins.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct LeakPairTests {
    /// Bytes that a request of the leaking program keeps, by its source: blocks with malloc's own header and rounding.
    struct Pair: Sendable, CustomTestStringConvertible {
        var program: String
        var name: String
        var bytes: ClosedRange<Double>
        var kind = "per_request"
        var testDescription: String { "\(program) \(name)" }
    }

    /// The others are `make bench-stress`'s.
    static let pairs = [
        Pair(program: "leaks", name: "small-block", bytes: 31...33),
        Pair(program: "leaks", name: "growing-array", bytes: 12...66),
        Pair(program: "leaks", name: "page-cache", bytes: 380...520, kind: "unbounded_by_key"),
        Pair(program: "cleaks", name: "small", bytes: 31...33),
    ]

    @Test(arguments: pairs)
    func `a leak is found, and its repaired twin is clean`(pair: Pair) async throws {
        let programs = try await PairPrograms.built()
        let leaking = try await stress(programs, [pair.program, pair.name, "leak"], ["--no-names"])
        #expect(leaking.exit == 2, "\(leaking.text)")
        let leak = try #require(leaking.endpoint)
        #expect(leak.verdict == .leak, "\(leaking.text)")
        #expect(leak.kind?.rawValue == pair.kind, "\(leaking.text)")
        #expect(leak.bytesPerRequest.map { pair.bytes.contains($0.estimate) } == true, "\(leaking.text)")
        let repaired = try await stress(programs, [pair.program, pair.name, "fixed"], [])
        #expect(repaired.exit == 0, "\(repaired.text)")
        #expect(repaired.endpoint?.verdict == .clean, "\(repaired.text)")
    }

    @Test func `what leaks is named: line, type and holders`() async throws {
        let programs = try await PairPrograms.built()
        try await withTemporaryFolder { folder in
            let sarif = folder.file("leak.sarif")
            let result = try await stress(
                programs, ["leaks", "static-array", "leak"], ["--sarif", sarif, "--junit", folder.file("junit.xml")])
            #expect(result.exit == 2)
            let leak = try #require(result.endpoint)
            #expect(leak.type == "[UInt8]", "\(result.text)")
            #expect(leak.site?.contains("programs.swift:") == true, "\(result.text)")
            #expect(leak.chain.first?.contains("AuditLog.entries") == true, "\(result.text)")
            #expect(leak.sites.first.map { (3_000...3_200).contains($0.bytesPerOperation) } == true, "\(result.text)")
            let log = try String(contentsOfFile: sarif, encoding: .utf8)
            #expect(log.contains("programs.swift"))
        }
    }

    @Test func `a command for each operation will do instead of requests`() async throws {
        let programs = try await PairPrograms.built()
        let result = try await run(
            ["--operation", "/usr/bin/env true", "--seconds", "4", "--patience", "4", "--no-names"],
            [programs + "/cleaks", "small", "fixed", "--serve", "{{port}}"])
        // The commands do nothing to the program, so it is clean; that they were carried out is what counts.
        #expect([0, 3].contains(result.exit), "\(result.text)")
        #expect(result.endpoint.map { $0.requests > 0 } == true)
        let failing = try await run(
            ["--operation", "/usr/bin/env false", "--seconds", "2", "--patience", "2"],
            [programs + "/cleaks", "small", "fixed", "--serve", "{{port}}"])
        #expect(failing.exit == 4, "\(failing.text)")
    }

    @Test func `what cannot be started, or answers nothing as expected, is no verdict`() async throws {
        let programs = try await PairPrograms.built()
        let missing = try await run(["-r", "GET /"], ["/no/such/program"])
        #expect(missing.exit == 5)
        #expect(missing.text.contains("/no/such/program"))
        let silent = try await run(["-r", "GET /", "--ready", "/"], ["/bin/sh", "-c", "echo no server here"])
        #expect(silent.exit == 5)
        #expect(silent.text.contains("no server here"))
        let wrong = try await run(["-r", "GET /"], [programs + "/cleaks", "small", "fixed"])
        #expect(wrong.exit == 5 || wrong.exit == 4, "\(wrong.text)")
    }

    // MARK: - Running it

    struct Outcome {
        var exit: Int32
        var endpoint: EndpointReport?
        /// What it printed, for messages.
        var text: String
    }

    private func stress(_ programs: String, _ words: [String], _ options: [String]) async throws -> Outcome {
        try await run(
            ["-r", "GET /${key}"] + options, ["\(programs)/\(words[0])", words[1], words[2], "--serve", "{{port}}"])
    }

    private func run(_ options: [String], _ words: [String]) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            let output = folder.file("out")
            let script = #"out="$1"; shift; exec "$@" > "$out""#
            let command = [try builtExecutable("oakum"), "stress", "--json"] + options + ["--"] + words
            return try await withProcess("/bin/sh", ["-c", script, "sh", output] + command) { process in
                let exit = try await process.waitForExit(within: .seconds(150))
                guard case .code(let code) = exit else { throw TestKitError("oakum stress: \(exit)") }
                let json = FileManager.default.contents(atPath: output) ?? Data()
                // Set-up errors print no report.
                let report = try? JSONDecoder().decode(StressReport.self, from: json)
                return Outcome(
                    exit: code, endpoint: report?.endpoints.first,
                    text: String(decoding: json, as: UTF8.self) + process.output())
            }
        }
    }
}

/// `scripts/leak-programs`, run once.
private actor PairPrograms {
    private static let shared = PairPrograms()
    private var building: Task<String, any Error>?

    static func built() async throws -> String { try await shared.value() }

    private func value() async throws -> String {
        let task =
            building
            ?? Task {
                let folder = try buildFolder() + "/leak-pairs"
                let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
                try await withProcess("\(root)/scripts/leak-programs", [folder]) { process in
                    guard try await process.waitForExit(within: .seconds(240)) == .code(0) else {
                        throw TestKitError("scripts/leak-programs failed:\n\(process.output())")
                    }
                }
                return folder
            }
        building = task
        return try await task.value
    }
}
