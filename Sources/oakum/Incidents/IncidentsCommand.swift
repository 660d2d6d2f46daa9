import ArgumentParser
import Foundation
import OakumAPI
import OakumModel

/// Incidents: what happened, who has taken it on, what became of the pages.
struct IncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "Lists incidents, shows one whole, and does what a person can do about it.",
        discussion: """
            Examples:
              oakum incidents -c oakum.yaml
              oakum incidents show 12 -c oakum.yaml
              oakum incidents ack 12 -c oakum.yaml
              oakum incidents note 12 "rolled back the mailer" -c oakum.yaml
              oakum incidents resolve 12 --why "fixed by 3.1.4" -c oakum.yaml
              oakum incidents silence 12 --for 2h --reason "known, fix comes at noon" -c oakum.yaml
            """,
        subcommands: [
            IncidentsList.self, IncidentsShow.self, IncidentsOpen.self, IncidentsAcknowledge.self, IncidentsNote.self,
            IncidentsResolve.self, IncidentsSilence.self,
        ], defaultSubcommand: IncidentsList.self)
}

struct IncidentsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The newest incidents; those that are not over unless --all.")

    @OptionGroup var state: StateOptions
    @Flag(help: "Those that are over too.") var all = false
    @Option(help: "Of one service.") var service: String?
    @Option(help: "How many at most, 1 to 200.") var limit = 50
    @Option(help: "Only those with a smaller number: the next page.") var before: Int64?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let states: Set<IncidentState> = all ? [] : [.open, .acknowledged, .mitigated]
            let query = IncidentQuery(states: states, service: service, before: before, limit: limit)
            let found = try await state.incidentPlane().incidents(query)
            guard !json else { return try Terminal.json(found) }
            guard !found.isEmpty else {
                return Terminal.line(all ? "no incident yet" : "no incident is open (--all shows those that are over)")
            }
            Terminal.table(
                ["#", "SINCE", "STATE", "SEVERITY", "TITLE"],
                found.map { incident in
                    [
                        "\(incident.id)", Clock.time(incident.milestones.detected), incident.state.rawValue,
                        incident.severity.rawValue, incident.title,
                    ]
                })
        }
    }
}

struct IncidentsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One incident: evidence, timeline, pages.")

    @Argument(help: "Its number.") var id: Int64
    @OptionGroup var state: StateOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let report = try await state.incidentPlane().incident(id)
            json ? try Terminal.json(report) : IncidentText.show(report)
        }
    }
}

struct IncidentsOpen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Opens an incident by hand; people are paged as for any other.")

    @Argument(help: "What is wrong, in one line.") var title: String
    @Option(help: "The service it is about.") var service: String?
    @Option(help: "info, warning, error or critical.") var severity: String = "error"
    @Option(help: "What else is known.") var details: String?
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            guard let severity = Severity(rawValue: severity) else {
                throw Failure(.badInput, "--severity is one of info, warning, error, critical")
            }
            let act = IncidentAct.open(title: title, service: service, severity: severity, details: details)
            try await perform(act, state, actor, json: json)
        }
    }
}

struct IncidentsAcknowledge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Takes an incident on: nobody else is paged until it gets worse.")

    @Argument(help: "Its number.") var id: Int64
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures { try await perform(.acknowledge(id), state, actor, json: json) }
    }
}

struct IncidentsNote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Adds a line to the timeline of an incident.")

    @Argument(help: "Its number.") var id: Int64
    @Argument(help: "What to note.") var text: String
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures { try await perform(.note(id, text), state, actor, json: json) }
    }
}

struct IncidentsResolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Says that an incident is over; all who were paged hear of it.")

    @Argument(help: "Its number.") var id: Int64
    @Option(help: "What ended it.") var why: String?
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures { try await perform(.resolve(id, why), state, actor, json: json) }
    }
}

struct IncidentsSilence: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silence",
        abstract: "Nobody is paged for what an incident is about, for a while; it is still recorded.",
        discussion: """
            Examples:
              oakum incidents silence 12 --for 2h --reason "known, fix comes at noon" -c oakum.yaml
              oakum incidents silence --end 3 -c oakum.yaml
            """)

    @Argument(help: "The number of the incident.") var id: Int64?
    @Option(name: .customLong("for"), help: "How long: 30min, 2h; a minute to 30 days.") var span: String?
    @Option(help: "Why.") var reason: String?
    @Option(help: "Ends the silence of this number.") var end: Int64?
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if end != nil {
            guard id == nil, span == nil, reason == nil else {
                throw ValidationError("--end takes the number of a silence and nothing else")
            }
            return
        }
        guard id != nil, let span, Clock.seconds(span) != nil, reason != nil else {
            throw ValidationError("name an incident, --for such as 2h, and --reason")
        }
    }

    func run() async throws {
        try await reportingFailures {
            if let end {
                try await perform(.endSilence(end), state, actor, json: json)
                return
            }
            guard let id, let seconds = span.flatMap(Clock.seconds), let reason else { return }
            try await perform(.silence(id, seconds: seconds, reason: reason), state, actor, json: json)
        }
    }
}

/// In whose name something is done.
struct ActorOptions: ParsableArguments {
    @Option(name: .customLong("as"), help: "Your name as the timeline shows it; otherwise your login.") var name:
        String?

    var actor: String {
        let environment = ProcessInfo.processInfo.environment
        return name ?? environment["SUDO_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? "uid \(getuid())"
    }
}

/// Does it and says what came of it.
@discardableResult
func perform(
    _ act: IncidentAct, _ state: StateOptions, _ actor: ActorOptions, json: Bool
) async throws -> IncidentOutcome {
    let outcome = try await state.incidentPlane().act(act, by: actor.actor)
    json ? try Terminal.json(outcome) : Terminal.line(outcome.message)
    return outcome
}
