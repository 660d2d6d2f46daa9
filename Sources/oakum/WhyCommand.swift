import ArgumentParser
import HeapInspection
import HeapProfile
import OakumApp
import OakumModel

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tells why memory is not freed: who holds it, who holds that, up to a global, a task or a cycle.",
        discussion: """
            Examples:
              oakum why registrar -c oakum.yaml            what leaks, in plain words
              oakum why 4711 VerificationContext.init      one place of `oakum heap`, or a part of its name
              oakum why /run/oakum/heap/web-4711.heap      as far as it was told while the process lived

            The program is not stopped. Types, and names of variables and properties are shown, never values.
            """)

    @OptionGroup var heap: HeapOptions
    @Argument(help: "A place of `oakum heap`, or a part of it; without it what leaks, else the largest.")
    var site: String?
    @Flag(help: "Print JSON.") var json = false

    /// One site and its chains, the most frequent first.
    private struct Answer: Encodable {
        struct Chain: Encodable {
            var path: [String]
            var words: String
            var blocks: Int
            var examined: Int
        }

        var site: String
        var verdict: SiteVerdictCode
        var reason: String
        var liveBytes: Estimate
        var type: String?
        var cache: HoldingCache?
        var chains: [Chain]

        private enum CodingKeys: String, CodingKey {
            case site, verdict, reason, type, cache, chains
            case liveBytes = "live_bytes"
        }
    }

    func run() async throws {
        try await reportingFailures {
            let target = try await heap.open()
            var limits = HeapCapture.Limits()
            // A place that was asked for may be far down the list.
            if site != nil { limits.sites = 64 }
            let capture = target.capture(limits: limits)
            let answers = try sites(of: capture).map { answer($0, capture) }
            for remark in capture.remarks { Terminal.note("note: \(remark)") }
            guard !json else { return try Terminal.json(answers) }
            for (index, answer) in answers.enumerated() { show(answer, isFirst: index == 0) }
        }
    }

    private func sites(of capture: HeapCapture) throws -> [Site] {
        guard let site else {
            let leaks = capture.leaks
            return leaks.isEmpty ? Array(capture.profile.sites.prefix(3)) : Array(leaks.prefix(5))
        }
        let found = capture.profile.sites.filter { $0.label.contains(site) }
        guard !found.isEmpty else {
            throw Failure(.badInput, "no place is called `\(site)`; `oakum heap \(heap.target)` lists them")
        }
        return Array(found.prefix(5))
    }

    private func answer(_ site: Site, _ capture: HeapCapture) -> Answer {
        Answer(
            site: site.label, verdict: site.verdict.code, reason: site.verdict.reason, liveBytes: site.live.bytes,
            type: site.types.first?.type, cache: capture.cache(holding: site),
            chains: capture.chains(of: site).map {
                Answer.Chain(path: $0.chain.path, words: $0.chain.words, blocks: $0.blocks, examined: $0.examined)
            })
    }

    private func show(_ answer: Answer, isFirst: Bool) {
        if !isFirst { Terminal.line("") }
        let bytes = ByteCount(Int64(max(0, answer.liveBytes.estimate)))
        Terminal.line("\(answer.site): \(bytes) alive, \(answer.verdict.words): \(answer.reason)")
        if let cache = answer.cache { Terminal.line("  \(cache.words)") }
        for chain in answer.chains {
            Terminal.line("  \(chain.blocks) of \(chain.examined) blocks looked at: \(chain.words)")
        }
        if answer.chains.isEmpty { Terminal.line("  nothing is known of its holders") }
    }
}
