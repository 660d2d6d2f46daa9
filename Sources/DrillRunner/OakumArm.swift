import Foundation
import Glibc
import LoadGenerator
import OakumAPI
import OakumModel
import Spawning
import Synchronization

/// The service under `oakum up`, on a configuration of its own, with the journal read as it grows.
struct OakumArm: Sendable {
    static let lookEvery = Duration.milliseconds(500)
    /// Where workers are to be killed at their budget, and each second of the load counts.
    static let closeLookEvery = Duration.milliseconds(250)
    /// Beyond the ready time of each worker: for `oakum` and its keeper to come up.
    static let startSeconds = 20.0

    let arm: DrillArm
    let service: DrillService
    /// The argv of a worker with variables still in it, options for the fault included.
    let command: [String]
    let recycle: [(key: String, value: String)]
    let heap: [(key: String, value: String)]
    let tools: DrillTools
    let folder: String
    var deploy: DrillDeploy?
    var volume: DrillVolume?
    /// Nil: Oakum may act, and no business is counted.
    var observation: DrillObservation?
    /// What the load brings of what the business counts, a second.
    var expectedPerSecond = 0.0
    /// The file that the draft of the arm's postmortem goes to; nil: none is written.
    var postmortem: String?
    let tell: @Sendable (DrillNews) -> Void

    struct Outcome: Sendable {
        var load: LoadReport
        var journal: [EventRecord]
        /// Of the workers that served at the end.
        var lastVerdicts: [VerdictCode]
        /// What `oakum` itself held; nil when it never told.
        var ownMemory: OwnMemory?
        /// What people were told; nil: nobody was to be.
        var pages: PageFindings?
        /// Of the observed arm.
        var observed: ObservedFacts?
    }

    private var launcher: Launcher { Launcher(folder: folder, restartSeconds: observation?.restartSeconds) }

    func run(_ load: DrillLoad, seconds: Double) async throws(DrillError) -> Outcome {
        let file = "\(folder)/oakum.yaml"
        let receiver = try tools.incidentPlane.map { _ throws(DrillError) in try PageReceiver() }
        defer { receiver?.shut() }
        let mounted = try volume.map { volume throws(DrillError) in
            try SmallVolume(Programs.fill([volume.path], ["folder": folder])[0], bytes: volume.bytes)
        }
        defer { mounted?.unmount() }
        if deploy != nil { try launcher.install(Programs.fill(command, ["folder": folder])) }
        try await seedBusiness(load)
        try writeText(configuration(receiver), to: file)
        let oakum = try SpawnedProcess(
            [tools.oakumPath, "up", "-c", file], environment: [(ScratchFolder.marker, folder)],
            logPath: "\(folder)/oakum.log")
        let result: Result<Outcome, DrillError>
        do throws(DrillError) {
            result = .success(try await underLoad(oakum, receiver, load, seconds: seconds))
        } catch {
            result = .failure(error)
        }
        await stop(oakum)
        return try result.get()
    }

    private func underLoad(
        _ oakum: SpawnedProcess, _ receiver: PageReceiver?, _ load: DrillLoad, seconds: Double
    ) async throws(DrillError) -> Outcome {
        let plane = tools.controlPlane("\(folder)/state")
        let address = try await waitUntilServing(oakum, plane)
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            throw .couldNotRun("oakum tells an address that is none: \(address)")
        }
        let target = LoadTarget(host: String(address[..<colon]), port: port)
        let watch = OakumWatch(arm: arm, service: service, oakum: oakum, plane: plane, tell: tell)
        let release = deploy.map { DrillRelease($0, service: service.name, launcher: launcher, plane: plane) }
        let plan = load.plan(targets: [target], seconds: seconds)
        let onCall = PersonOnCall(
            arm: arm, receiver: receiver, plane: tools.incidentPlane?("\(folder)/state"), tell: tell)
        let limit = observation.map { observation in
            MemoryLimit(
                service: service, launcher: launcher, untilSeconds: observation.fixedAtSeconds, plane: plane, tell: tell
            )
        }
        let answers = observation.map { AnswerRecord(stream: $0.business.stream) }
        let pace = observation == nil ? Self.lookEvery : Self.closeLookEvery
        let aftermath = DrillAftermath(
            arm: arm, tools: tools, stateFolder: "\(folder)/state", configuration: "\(folder)/oakum.yaml",
            hasAudience: observation != nil, postmortem: postmortem, tell: tell)
        let report = try await ArmLoad.run(plan, every: pace) { snapshot throws(DrillError) in
            answers?.look(snapshot)
            try await limit?.look(snapshot)
            try await release?.look(snapshot)
            try await watch.look(snapshot)
            await onCall.look(snapshot)
            await aftermath.look(snapshot, of: seconds, onCall)
        }
        try await watch.readJournal(load: nil)
        var outcome = Outcome(
            load: report, journal: watch.journal, lastVerdicts: try await watch.verdicts(), ownMemory: watch.ownMemory,
            pages: onCall.findings(startedAt: report.startedAt))
        let incident = try await aftermath.settle(onCall, receiver)
        guard let limit, let answers else { return outcome }
        outcome.observed = ObservedFacts(
            kills: limit.kills, marks: answers.all,
            messages: Self.messages(receiver), incident: incident,
            clock: try await watch.clock())
        return outcome
    }

    /// What the business was told until the incident was closed: that nobody comes when the load is over is no news.
    private static func messages(_ receiver: PageReceiver?) -> [PageReceiver.Arrival] {
        let told = receiver?.all.filter { $0.page.data.kind == .stakeholders } ?? []
        guard let end = told.firstIndex(where: { $0.page.data.title.hasSuffix("; over") }) else { return told }
        return Array(told[...end])
    }

    /// What earlier days brought, as far as anybody knows.
    private func seedBusiness(_ load: DrillLoad) async throws(DrillError) {
        guard let business = observation?.business else { return }
        guard let seed = tools.seedBusiness else {
            throw .couldNotRun("this drill cannot seed what the business counted")
        }
        let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        let spans = BusinessPast.spans(
            perSecond: business.perSecond(load), days: business.days, before: now, seed: load.seed)
        do {
            try await seed("\(folder)/state", service.name, business.name, spans)
        } catch {
            throw .couldNotRun("what earlier days counted cannot be stored: \(error)")
        }
    }

    private func waitUntilServing(
        _ oakum: SpawnedProcess, _ plane: any ControlPlane
    ) async throws(DrillError) -> String {
        let deadline = uptimeNow() + Self.startSeconds + Double(service.workers) * service.readyWithinSeconds
        var last = "it did not answer on its control socket"
        while uptimeNow() < deadline {
            if let exit = oakum.exitNow() {
                throw .couldNotRun(
                    "oakum ended with \(exit) at its start; it last wrote:\n\(TextFile.tail(oakum.outputPath))")
            }
            do throws(ControlError) {
                let overview = try await plane.overview()
                if let status = overview.services.first(where: { $0.name == service.name }) {
                    let serving = status.workers.filter { $0.phase == .serving }.count
                    if serving >= service.workers { return status.address }
                    last = "\(serving) of \(service.workers) workers served"
                }
            } catch {
                last = error.message
            }
            try await pause(0.2)
        }
        throw .couldNotRun("oakum's workers were not ready in time: \(last)\n\(TextFile.tail(oakum.outputPath))")
    }

    /// `oakum.yaml` for this arm. Strings are written as JSON writes them, which YAML reads too.
    private func configuration(_ receiver: PageReceiver?) -> String {
        let words = deploy == nil ? Programs.fill(command, ["folder": folder]) : [launcher.path]
        let command = words.map(quoted).joined(separator: ", ")
        let directory =
            service.directory.map { "directory: " + quoted(Programs.fill([$0], ["folder": folder])[0]) } ?? ""
        let environment = (service.environment + [(ScratchFolder.marker, folder)])
            .map { "\(quoted($0.key)): \(quoted($0.value))" }.joined(separator: ", ")
        let recycle = recycle.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        let heap = heap.isEmpty ? "" : "heap: {\(heap.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        return """
            state: \(quoted("\(folder)/state"))
            console:
              listen: 127.0.0.1:0
            services:
              - name: \(service.name)
                command: [\(command)]
                environment: {\(environment)}
                listen: 127.0.0.1:0
                workers: \(service.workers)
                memory_budget: \(service.budgetBytes)B
                health: {path: \(quoted(service.readyPath)), ready_within: \(service.readyWithinSeconds)s}
                recycle: {\(recycle)}
                \(heap)
                \(directory)
                \(business)
            \(receiver.map(paging) ?? "")
            \(observation == nil ? "" : "observe_only: true")

            """
    }

    private var business: String {
        guard let business = observation?.business else { return "" }
        let labels = business.labels.map { "\($0.key): \(quoted($0.value))" }.joined(separator: ", ")
        // Between the first look and the first request lies a moment in which nobody comes: five seconds' worth says nothing.
        let least = "minimum_expected: \(Int(max(1, expectedPerSecond * 5)))"
        return "business: {name: \(quoted(business.name)), metric: \(business.metric), labels: {\(labels)}, \(least)}"
    }

    /// The drill's own webhook is who is on call, and in the observed arm the business too.
    private func paging(_ receiver: PageReceiver) -> String {
        let url = "http://127.0.0.1:\(receiver.port)/page"
        let business = observation == nil ? "" : "  - {name: business, webhook: {url: \"\(url)\"}}"
        let person = PersonOnCall.accountName
        let zone = tools.timeZone.map { ", time_zone: \(quoted($0))" } ?? ""
        return """
            channels:
              - {name: on-call, webhook: {url: "\(url)"}}
            \(business)
            \(person.map { "people: [{name: \($0), display: Person on call, contact: {channel: on-call}}]" } ?? "")
            policies:
              - {name: default, steps: [{notify: [\(person.map { "person \($0)" } ?? "channel on-call")]}]}
            network: {allow: [127.0.0.1]}
            \(observation == nil ? "" : "audiences: [{name: business, channel: business\(zone)}]")
            """
    }

    /// SIGINT stops workers, keeper and `oakum`; what does not end within a minute is killed. Not to be cancelled.
    private func stop(_ oakum: SpawnedProcess) async {
        await uncancelled {
            oakum.send(SIGINT)
            _ = oakum.waitForExit(milliseconds: 60_000)
            oakum.killGroup()
        }
    }
}

/// Reads `oakum`'s journal and overview while the load runs, and passes on what is news.
final class OakumWatch: Sendable {
    /// The most events kept; a drill that makes more keeps its first ones.
    static let journalLimit = 20_000

    private struct State {
        var journal: [EventRecord] = []
        var lastID: Int64 = 0
        var lastStatus: Uptime?
        var silentSince: Uptime?
        var ownMemory: OwnMemory?
    }

    private let arm: DrillArm
    private let service: DrillService
    private let oakum: SpawnedProcess
    private let plane: any ControlPlane
    private let tell: @Sendable (DrillNews) -> Void
    private let state = Mutex(State())

    init(
        arm: DrillArm, service: DrillService, oakum: SpawnedProcess, plane: any ControlPlane,
        tell: @escaping @Sendable (DrillNews) -> Void
    ) {
        self.arm = arm
        self.service = service
        self.oakum = oakum
        self.plane = plane
        self.tell = tell
    }

    var journal: [EventRecord] { state.withLock { $0.journal } }
    var ownMemory: OwnMemory? { state.withLock { $0.ownMemory } }

    func look(_ load: LoadSnapshot) async throws(DrillError) {
        if let exit = oakum.exitNow() {
            throw .couldNotRun(
                "oakum ended with \(exit) during the arm; it last wrote:\n\(TextFile.tail(oakum.outputPath))")
        }
        let now = uptimeNow()
        let isDue = state.withLock { state in
            if let last = state.lastStatus, now - last < 1 { return false }
            state.lastStatus = now
            return true
        }
        do throws(ControlError) {
            try await readJournalOnce(load)
            if isDue { try await tellStatus(load, at: now) }
            state.withLock { $0.silentSince = nil }
        } catch {
            try toleratesSilence(error, since: now)
        }
    }

    /// Reads what the journal has by now; patient for a while when `oakum` does not answer.
    func readJournal(load: LoadSnapshot?) async throws(DrillError) {
        while true {
            do throws(ControlError) {
                return try await readJournalOnce(load)
            } catch {
                try toleratesSilence(error, since: uptimeNow())
            }
            try await pause(0.2)
        }
    }

    /// Both of `oakum`'s clocks at one moment.
    func clock() async throws(DrillError) -> Moment {
        do throws(ControlError) {
            return try await plane.overview().at
        } catch {
            throw .couldNotRun("oakum did not tell its clock: \(error.message)")
        }
    }

    /// Verdicts on the workers that serve now.
    func verdicts() async throws(DrillError) -> [VerdictCode] {
        do throws(ControlError) {
            let services = try await plane.overview().services.filter { $0.name == service.name }
            return services.flatMap(\.workers).filter { $0.phase == .serving }.map(\.verdict.code)
        } catch {
            throw .couldNotRun("oakum did not tell its verdicts: \(error.message)")
        }
    }

    private func readJournalOnce(_ load: LoadSnapshot?) async throws(ControlError) {
        while true {
            let after = state.withLock { $0.lastID }
            let records = try await plane.events(EventQuery(after: after, limit: 500))
            guard let last = records.last else { return }
            state.withLock { state in
                state.lastID = last.id
                state.journal += records.prefix(Self.journalLimit - state.journal.count)
            }
            for record in records where record.event.isNews {
                let seconds = load?.startedAt.map { record.event.at.uptime - $0 }
                tell(.note(arm, seconds: seconds, text: record.event.message))
            }
        }
    }

    private func tellStatus(_ load: LoadSnapshot, at now: Uptime) async throws(ControlError) {
        let overview = try await plane.overview()
        if let bytes = overview.oakum.rss?.bytes {
            state.withLock { $0.ownMemory = $0.ownMemory?.adding(bytes) ?? OwnMemory(first: bytes) }
        }
        let workers = overview.services.first { $0.name == service.name }?.workers ?? []
        tell(
            .status(
                DrillStatus(
                    arm: arm, seconds: load.startedAt.map { now - $0 }, requests: load.requests, failed: load.failed,
                    p99Milliseconds: load.p99Milliseconds, memory: workers.map { $0.latest?.rss.bytes },
                    budgetBytes: service.budgetBytes)))
    }

    /// A control plane on a busy machine may miss a look or two.
    private func toleratesSilence(_ error: ControlError, since now: Uptime) throws(DrillError) {
        let since = state.withLock { state in
            state.silentSince = state.silentSince ?? now
            return state.silentSince ?? now
        }
        guard uptimeNow() - since < 10 else {
            throw .couldNotRun("oakum has not answered for 10 s: \(error.message)\n\(TextFile.tail(oakum.outputPath))")
        }
    }
}

extension Event {
    /// Worth a line while a drill runs.
    fileprivate var isNews: Bool {
        switch kind {
        case .workerReady, .workerExited, .workerFailed, .verdict, .recycleStarted, .recycleFinished, .recycleFailed,
            .recycleWithheld, .slopeAfterwards, .leakNamed, .leakNotNamed, .diagnosed, .symptom, .symptomOver, .deploy,
            .release,
            .problem:
            true
        case .watchStarted, .watchStopped, .paused, .resumed, .workerStarted, .command: false
        }
    }
}
