import ArgumentParser
import Foundation
import OakumApp
import OakumEngine
import OakumModel

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Watches any running process and judges its memory; acts on nothing.",
        discussion: """
            Examples:
              oakum attach 4711                      until it leaks, for five minutes at most
              oakum attach 4711 --for 1h --limit 2GiB
              oakum attach 4711 --json

            The process and all below it are summed. A leak is named when the sampler is loaded (see `oakum heap
            --help`); else its growth is told by memory mapping. Nothing is stopped, started or changed.

            Exit codes: 0 no leak; 2 a leak; 3 too little was seen to tell; 4 the process ended; 64 wrong usage.
            """)

    @Argument(help: "The process.") var pid: Int32
    @Option(name: .customLong("for"), help: "How long to watch: 90s, 10min, 2h.") var duration = "5min"
    @Option(help: "The memory it may hold, such as 512MiB; without it that of its control group, or the machine's.")
    var limit: String?
    @Flag(help: "Watch on after a leak was found.") var keepWatching = false
    @Flag(help: "Print the outcome as JSON.") var json = false

    private struct Outcome: Encodable {
        var pid: Int32
        var verdict: Verdict
        var rssBytes: Int64
        var limitBytes: Int64
        var watchedSeconds: Int
        var findings: Attachment.Findings?

        private enum CodingKeys: String, CodingKey {
            case pid, verdict, findings
            case rssBytes = "rss_bytes"
            case limitBytes = "limit_bytes"
            case watchedSeconds = "watched_s"
        }
    }

    func validate() throws {
        guard Clock.seconds(duration) != nil else { throw ValidationError("--for takes a time such as 90s or 10min") }
        guard limit == nil || parsedLimit != nil else {
            throw ValidationError("--limit takes an amount such as 512MiB, not \"\(limit ?? "")\"")
        }
    }

    private var parsedLimit: ByteCount? {
        let units: [(String, Double)] = [("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824)]
        guard let limit, let unit = units.first(where: { limit.hasSuffix($0.0) }),
            let number = Double(limit.dropLast(3)), number > 0, number < 1e9
        else { return nil }
        return ByteCount(Int64(number * unit.1))
    }

    func run() async throws {
        try await reportingFailures {
            var attachment: Attachment
            do throws(HeapTarget.Problem) {
                attachment = try Attachment(pid: pid, limit: parsedLimit)
            } catch {
                throw Failure(.badInput, error.description)
            }
            Terminal.note("watching process \(pid) against \(attachment.limit) (\(attachment.limitSource))")
            for blindSpot in attachment.blindSpots() { Terminal.note("note: \(blindSpot)") }
            guard let (outcome, hasEnded) = try await watch(&attachment) else {
                throw Failure(.badInput, "process \(pid) cannot be read")
            }
            if json { try Terminal.json(outcome) } else { show(outcome) }
            if outcome.verdict.code == .leak { throw ExitCode(2) }
            if hasEnded {
                Terminal.complain("process \(pid) has ended")
                throw ExitCode(4)
            }
            if outcome.verdict.code == .notEnoughData { throw ExitCode(3) }
        }
    }

    /// Nil when there was no reading at all.
    private func watch(_ attachment: inout Attachment) async throws -> (Outcome, hasEnded: Bool)? {
        let seconds = Int((Clock.seconds(duration) ?? 300).rounded(.up))
        let clock = ContinuousClock()
        let start = clock.now
        var outcome: Outcome?
        for second in 0...seconds {
            try await clock.sleep(until: start + .seconds(second))
            guard let look = attachment.look() else { return outcome.map { ($0, true) } }
            let isNews = look.verdict.code != outcome?.verdict.code
            if isNews || second % 30 == 0 { tell(look, second) }
            outcome = Outcome(
                pid: pid, verdict: look.verdict, rssBytes: look.rss.bytes, limitBytes: attachment.limit.bytes,
                watchedSeconds: second, findings: outcome?.findings)
            guard look.verdict.code == .leak, isNews else { continue }
            outcome?.findings = attachment.findings()
            if !keepWatching { break }
        }
        return outcome.map { ($0, false) }
    }

    private func tell(_ look: Attachment.Look, _ second: Int) {
        let processes = look.processes == 1 ? "" : " in \(look.processes) processes"
        let unreadable = look.unreadable > 0 ? ", \(look.unreadable) of which cannot be read" : ""
        Terminal.note("\(second) s: \(look.rss)\(processes)\(unreadable), \(Words.summary(look.verdict))")
    }

    private func show(_ outcome: Outcome) {
        Terminal.line(Words.summary(outcome.verdict))
        for evidence in outcome.verdict.evidence { Terminal.line("  \(evidence)") }
        guard let findings = outcome.findings else { return }
        for leak in findings.leaks { Terminal.line("  \(leak.sentence)") }
        for mapping in findings.growth {
            Terminal.line("  \(mapping.name) grew by \(ByteCount(mapping.bytes))")
        }
        for remark in findings.remarks { Terminal.note("note: \(remark)") }
    }
}
