import OakumModel

/// The incident plan for memory leaks, as the configuration has it: who is told and when, what Oakum does by itself, what is left to
/// people, and the commands they need. Made anew from the configuration each time, so it cannot fall behind it.
package struct IncidentPlan: Sendable {
    package var facts: PlanFacts
    private let time: TimeWords

    package init(_ facts: PlanFacts, zone: DocumentZone) {
        self.facts = facts
        time = TimeWords(zone, times: [facts.asOf] + facts.schedules.compactMap(\.until))
    }

    /// What is wrong with the plan: a fault of the configuration, or something that nobody would be told of.
    package var gaps: [String] {
        PlanGaps(facts).all
    }

    /// CommonMark with tables.
    package var markdown: String {
        [
            "# Incident plan: memory leaks", lead, gapList, "## Who is paged", paging, "## What Oakum does by itself",
            byItself,
            "## What a person decides", decisions, "## Steps for whoever is paged", steps, "## Commands", commands,
            "## When nobody answers", silence, "## Who else is told", others, "## When Oakum itself fails", failure,
        ].compactMap { $0 }.joined(separator: "\n\n") + "\n"
    }

    // MARK: - Beginning

    private var lead: String {
        let services = facts.services.map { Markdown.code($0.name) }
        return "For \(DraftWriter.joined(services)), from \(Markdown.code(facts.configuration)), "
            + "as of \(time.full(facts.asOf)). Made by \(Markdown.code("oakum plan")): change the configuration, not this text."
    }

    private var gapList: String {
        let gaps = gaps
        guard !gaps.isEmpty else { return "Nothing is missing from it." }
        return "**\(Amount.count(gaps.count, "thing is missing", "things are missing")):**\n\n"
            + Markdown.list(gaps.map { Markdown.sentence($0) })
    }

    // MARK: - Paging

    private var paging: String {
        let intro =
            "A message goes out within seconds of the condition, for anything of severity "
            + "\(facts.pagesFrom.rawValue) or worse. **Critical** is what reaches its limit before a person could act: "
            + "the time until somebody has the page in hand, and the time to act, together."
        let table = Markdown.table(
            ["Service", "Critical within", "Policy", "Runbook"],
            facts.services.map { service in
                [
                    Markdown.code(service.name, inTable: true),
                    Amount.duration(service.ackSeconds + service.mitigateSeconds),
                    service.policy.map { Markdown.code($0, inTable: true) }
                        ?? (service.pagesNobody ? "nobody is paged: `policy: none`" : "**nobody is paged**"),
                    service.runbook.map { Markdown.link("runbook", $0, inTable: true) } ?? "none",
                ]
            })
        return ([intro, table] + facts.policies.map(policy) + [schedules].compactMap { $0 })
            .joined(separator: "\n\n")
    }

    private func policy(_ policy: PlannedPolicy) -> String {
        let rows = policy.steps.enumerated().flatMap { index, step in
            step.targets.enumerated().map { position, target in
                [
                    position == 0 ? "\(index + 1)" : "", position == 0 ? after(step.afterSeconds) : "",
                    Markdown.text(target.who), names(target), ways(target),
                ]
            }
        }
        let again =
            policy.repeats > 0
            ? "Then all of it again, \(Amount.count(policy.repeats, "time")), each "
                + "\(Amount.duration(policy.repeatAfterSeconds)) after the last step." : "It is gone through once."
        return "### Policy \(Markdown.text(policy.name))\n\n"
            + Markdown.table(["Step", "After", "Who", "Now", "Through"], rows) + "\n\n\(again)"
    }

    private func after(_ seconds: Double) -> String {
        seconds <= 0 ? "at once" : Amount.duration(seconds)
    }

    private func names(_ target: PlannedPolicy.Target) -> String {
        guard target.people.isEmpty else {
            return DraftWriter.joined(target.people.map { Markdown.text($0, limit: 100) })
        }
        return target.who.hasPrefix("channel ") ? "all who read it" : "**nobody**"
    }

    private func ways(_ target: PlannedPolicy.Target) -> String {
        guard !target.ways.isEmpty else { return "**no way to reach them**" }
        return target.ways.map { way in
            let address = way.address.map { " (\(Markdown.text($0)))" } ?? ""
            let whom = target.people.count > 1 ? way.person.map { "\(Markdown.text($0, limit: 100)): " } ?? "" : ""
            let later = way.afterSeconds > 0 ? ", after \(Amount.duration(way.afterSeconds)) more" : ""
            return "\(whom)\(Markdown.code(way.channel, inTable: true))\(address)\(later)"
        }.joined(separator: "; ")
    }

    private var schedules: String? {
        guard !facts.schedules.isEmpty else { return nil }
        let rows = facts.schedules.map { schedule in
            [
                Markdown.code(schedule.name, inTable: true),
                schedule.now.isEmpty ? "**nobody**" : Markdown.text(schedule.now.joined(separator: ", ")),
                schedule.until.map { time.full($0) } ?? "further notice",
                schedule.next.isEmpty ? "–" : Markdown.text(schedule.next.joined(separator: ", ")),
            ]
        }
        return "### Who is on call\n\n" + Markdown.table(["Schedule", "Now", "Until", "Then"], rows)
    }

    // MARK: - Acts

    private var byItself: String {
        let watch =
            "Once a second it reads each worker's memory, tells a leak from a warm-up or a cache that fills, and forecasts when the "
            + "budget is used up. When a worker is found to leak it looks into its heap for the site and who holds it, "
            + "weighs the causes, and opens an incident with all of that. Symptoms of a known cause (CPU, errors, latency) are "
            + "recorded and page nobody."
        let acts =
            facts.observeOnly
            ? "**It is told to observe only: it replaces nothing.** With acts allowed it would:"
            : "It replaces a worker before its limit. The new one is ready before the old one drains; one at a time:"
        let rows = facts.services.map { service in
            let rules = service.recycling
            return [
                Markdown.code(service.name, inTable: true), "\(service.budget)",
                "\(Amount.number(rules.atPercent)) % of it, or \(Amount.duration(rules.leadSeconds)) before the forecast reaches it",
                "\(rules.atMostPerHour) an hour, \(Amount.duration(rules.minimumIntervalSeconds)) apart",
                "\(rules.capacityFloor) of \(service.workers)", Amount.duration(rules.drainDeadlineSeconds),
                service.samplesHeap ? "yes" : "**no**",
            ]
        }
        let table = Markdown.table(
            ["Service", "Budget of a worker", "Replaced at", "At most", "Always serving", "Drain", "Sites named"], rows)
        let also = facts.services.filter { !$0.alerts.isEmpty }.map { service in
            "Alerts of \(Markdown.code(service.name)) beside the leak verdict: "
                + service.alerts.map { Markdown.text($0) }.joined(separator: "; ") + "."
        }
        let limits =
            "A recycle buys time. Afterwards the slope is judged, never the level: it is told how long was bought, and that "
            + "the leak is still there. It deploys nothing, rolls nothing back, raises no limit and closes no leak by itself."
        return ([watch, acts, table] + also + [limits]).joined(separator: "\n\n")
    }

    private var decisions: String {
        Markdown.list([
            "Whether to take the incident on. Until somebody does, the next step of the policy is told.",
            "Whether to roll back, when a deploy came shortly before, or to repair: the incident names the site.",
            "Whether to replace workers by hand, or to stop Oakum from doing so "
                + "(\(Markdown.code("oakum pause"))) when its acts do harm.",
            "Whether to give more memory for a while: the time to the limit grows with it, the leak stays.",
            "What users and partners are told beyond the messages below.",
            "When it is over: the incident closes by itself when nothing has fired for a while; a cause that is still there is a "
                + "matter for the postmortem's actions.",
        ])
    }
}
