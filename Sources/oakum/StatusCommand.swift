import ArgumentParser
import Diagnosis
import OakumAPI
import OakumModel

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows services, workers, memory and verdicts.",
        discussion: """
            Examples:
              oakum status -c examples/registration/oakum.yaml
              oakum status --state .oakum/registration --json
              oakum status -c oakum.yaml --events 20
            """)

    @OptionGroup var state: StateOptions
    @Flag(help: "Print the JSON of GET /api/v1/overview.") var json = false
    @Option(help: "Also print the newest N events.") var events: Int = 0

    func validate() throws {
        guard (0...1_000).contains(events) else { throw ValidationError("--events takes 0 to 1000") }
    }

    func run() async throws {
        try await reportingFailures {
            let plane = try state.controlPlane()
            let overview = try await plane.overview()
            guard !json else { return try Terminal.json(overview) }
            show(overview)
            guard events > 0 else { return }
            Terminal.line("")
            for record in try await plane.events(EventQuery(limit: events)) {
                Terminal.line("\(Clock.time(record.event.at.wall))  \(record.event.message)")
            }
        }
    }

    private func show(_ overview: Overview) {
        var marks: [String] = []
        if overview.oakum.observeOnly { marks.append("observe-only: nothing is recycled") }
        if overview.oakum.paused { marks.append("PAUSED: nothing is recycled (allow it with `oakum pause --off`)") }
        marks += overview.oakum.problems.map { "PROBLEM: \($0)" }
        for mark in marks { Terminal.line(mark) }
        for service in overview.services { show(service) }
    }

    private func show(_ service: ServiceStatus) {
        let serving = service.workers.filter { $0.phase == .serving }.count
        let recycling = service.recycling ? ", recycling now" : ""
        Terminal.line(
            "\(service.name)  http://\(service.address)  \(serving) of \(service.desiredWorkers) serving, "
                + "budget \(service.budget) a worker, \(service.recycles) recycles\(recycling)")
        for symptom in service.symptoms ?? [] { Terminal.line("  \(symptom)") }
        if let diagnosis = service.diagnosis {
            Terminal.line("  \(diagnosis.summary)")
            for line in diagnosis.logs { Terminal.line("    \(line.sentence)") }
        }
        let rows = service.workers.map { worker in
            let share = worker.latest.map { Int(Double($0.rss.bytes) / Double(service.budget.bytes) * 100) }
            let memory = worker.latest.map { "\($0.rss)" } ?? "unknown"
            return [
                "\(service.name)/\(worker.number)", worker.phase.rawValue,
                worker.process.map { "\($0.pid)" } ?? "–", memory, share.map { "\($0) %" } ?? "–", worker.summary,
            ]
        }
        Terminal.table(["WORKER", "PHASE", "PID", "MEMORY", "BUDGET", "VERDICT"], rows)
        for worker in service.workers {
            if let diagnosis = worker.diagnosis {
                Terminal.line("  \(service.name)/\(worker.number): \(diagnosis.summary)")
                for line in diagnosis.logs { Terminal.line("    \(line.sentence)") }
            }
            for leak in worker.leaks ?? [] {
                let holders = leak.chain.isEmpty ? leak.type ?? "unknown type" : leak.chain.joined(separator: " → ")
                let cache = leak.cache.map { ", \($0.words)" } ?? ""
                Terminal.line("  \(service.name)/\(worker.number) leaks at \(leak.site)\(cache): \(holders)")
            }
        }
    }
}
