import OakumModel

extension IncidentPlan {
    private var anyService: String { facts.services.first?.name ?? "SERVICE" }

    /// Commands find their `oakum` by its configuration.
    private func command(_ words: String) -> String {
        Markdown.code("oakum \(words) -c \(facts.configuration)")
    }

    var steps: String {
        let link = facts.hasActionLinks ? " (or press the link in the page: it needs no login)" : ""
        let console = facts.console.map { " The console is at \(Markdown.code($0))." } ?? ""
        return [
            "1. **Take it on:** \(command("incidents ack NUMBER"))\(link). That stops the next step. It holds for what was known: when "
                + "the forecast gets worse, or its time is up, paging begins again.",
            "2. **Read the page:** verdict, time to the limit, site, type and holder chain, what Oakum is doing. It is memory first; "
                + "high CPU beside it is a symptom, and the incident says what is ruled out and by which number.",
            "3. **Look whether users notice:** \(command("incidents show NUMBER")) has errors, latency and business counts.\(console)",
            "4. **See that time is bought:** \(command("status")). Workers are replaced in time, or it says why not: paused, observe-only, "
                + "the rate used up, the floor.",
            "5. **If a deploy came shortly before,** roll it back. A restart alone is no repair.",
            "6. **Find the line:** \(command("why \(anyService)")) names who keeps the memory.",
            "7. **Say what you do:** \(command("incidents note NUMBER TEXT")). It becomes the postmortem's timeline.",
            "8. **Repair, deploy, and wait for the verdict** on the new workers: mitigated is what the slope says, not what was done.",
            "9. **Write it up:** \(Markdown.code("oakum postmortem draft NUMBER -c \(facts.configuration)")).",
        ].joined(separator: "\n")
    }

    var commands: String {
        let rows: [(String, String)] = [
            ("incidents list", "what is open"), ("incidents show NUMBER", "evidence, alerts, timeline, pages"),
            ("incidents ack NUMBER", "take it on"), ("incidents note NUMBER TEXT", "a line of the timeline"),
            ("incidents resolve NUMBER", "close it"),
            ("incidents silence NUMBER --for 1h --reason TEXT", "page nobody for this condition; it is still recorded"),
            ("on-call now", "who would be paged"), ("on-call check", "a real test page, and whether it arrives"),
            ("status", "services, workers, verdicts"), ("heap \(anyService)", "live memory by site and type"),
            ("why \(anyService)", "the references that keep it alive"),
            ("recycle \(anyService)", "replace its workers by hand"),
            ("pause", "stop all acts; `pause --off` allows them again"), ("down", "stop the service and Oakum"),
        ]
        let evidence =
            "Evidence lies in \(Markdown.code(facts.state)): the journal and the incidents (SQLite), the memory history, and the "
            + "workers' logs under \(Markdown.code("logs/")). Heap files outlive their worker, SIGKILL and OOM included."
        return Markdown.table(
            ["Command", "What it does"],
            rows.map { [Markdown.code("oakum \($0.0) -c \(facts.configuration)", inTable: true), $0.1] })
            + "\n\n\(evidence)"
    }

    // MARK: - Silence

    var silence: String {
        guard !facts.policies.isEmpty else { return "Nobody is paged, so nobody can answer." }
        let items = facts.policies.map { policy in
            let held =
                policy.acknowledgementSeconds.map { "An acknowledgement holds for \(Amount.duration($0))" }
                ?? "An acknowledgement holds until the incident is over"
            return
                "**\(Markdown.text(policy.name)):** after \(Amount.duration(policy.exhaustedAfterSeconds)) without an answer "
                + "the path is at its end. \(held), and ends at once when things get clearly worse."
        }
        return
            "A page that cannot be delivered is tried again, and then the next step is told at once. When the path is at its end, "
            + "that is an event of its own: it stands in the incident, in the console and in \(Markdown.code("oakum status")).\n\n"
            + Markdown.list(items)
    }

    var others: String {
        guard !facts.audiences.isEmpty else { return "Nobody: no audience is configured." }
        let rows = facts.audiences.map { audience in
            let services = audience.services.isEmpty ? "all" : audience.services.joined(separator: ", ")
            return [
                Markdown.text(audience.name),
                Markdown.code(audience.channel, inTable: true)
                    + (audience.address.map { " (\(Markdown.text($0)))" } ?? ""),
                Markdown.text(services),
                Markdown.text(audience.stages.map { stage(of: $0) }.joined(separator: ", ")),
            ]
        }
        return "In plain words, with counted impact:\n\n"
            + Markdown.table(["Audience", "Channel", "Services", "Told at"], rows)
    }

    private func stage(of code: String) -> String {
        code.split(separator: "_").joined(separator: " ")
    }

    var failure: String {
        let deadMan = facts.deadMan.map {
            "Oakum reports to \(Markdown.code($0.host)) (interval: \(Amount.duration($0.everySeconds))), which rings when that stops."
        }
        let channels = facts.channels.map { "\(Markdown.code($0.name)): \(Markdown.text($0.words))" }
        return [
            deadMan ?? "**Nobody outside notices when Oakum is silent.**",
            "Workers serve on while Oakum is away, and the keeper starts those that crash. Pages that were accepted are on disk and "
                + "go out when it is back. Restart it with \(Markdown.code("oakum up -c \(facts.configuration)")): it carries on "
                + "with its history.",
            channels.isEmpty ? nil : "Channels:\n\n" + Markdown.list(channels),
        ].compactMap { $0 }.joined(separator: "\n\n")
    }
}
