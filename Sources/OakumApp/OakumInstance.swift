import Deployment
import Foundation
import IncidentStoreSQLite
import LinuxHost
import Logging
import OakumAPI
import OakumEngine
import OakumHTTP
import OakumModel
import Outbound
import SeriesStore
import ServiceLifecycle
import UnixSignals

/// One `oakum up`: the object graph of a configuration, from its start to its end.
package struct OakumInstance: Sendable {
    package let configuration: OakumConfiguration
    private let installation = Installation()

    package init(configuration: OakumConfiguration) {
        self.configuration = configuration
    }

    /// Runs until SIGTERM (ends `oakum` alone), SIGINT or `oakum down` (end everything).
    ///
    /// - Parameter announce: gets lines for people: the addresses, once everything is up.
    /// - Throws: `StartProblem` when it cannot start or go on.
    package func run(announce: @escaping @Sendable (String) -> Void) async throws {
        // A peer that is gone is an error of the write, not a signal that ends us.
        signal(SIGPIPE, SIG_IGN)
        let folder: StateFolder
        do throws(StateFolder.Problem) {
            folder = try StateFolder(configuration.state)
        } catch {
            throw StartProblem("\(error)")
        }
        // The lock is held for as long as the folder's value lives.
        defer { withExtendedLifetime(folder) {} }
        try await run(in: folder.path, announce)
    }

    private func run(in folder: String, _ announce: @escaping @Sendable (String) -> Void) async throws {
        var logger = Logger(label: "oakum")
        logger.logLevel = .notice
        let outbound = OutboundClient()
        defer { outbound.shutdown() }
        let sampler = try configuration.services.contains { $0.heap.sampler } ? installation.sampler() : nil
        let keeper = try opened("the keeper's connection") {
            try KeeperClient(
                stateFolder: folder, keeperProgram: try installation.keeper(),
                services: configuration.services.map { $0.kept(state: folder, sampler: sampler) })
        }
        defer { keeper.close() }
        let journal = try opened("the journal") { try SQLiteEventJournal(path: folder + "/journal.sqlite") }
        let history = try opened("the history") { try SegmentedHistoryStore(folder: folder + "/history") }
        let sites = releaseSites(in: folder)
        let addressOf: @Sendable (String) -> String = { keeper.listenAddress(of: $0) ?? "unknown" }
        // Where Oakum writes, and where the services live; one volume may come under several names.
        let volumes = Set([folder] + configuration.services.map(\.directory)).sorted()
        let host = ProcSampler(volumes: volumes)
        let response: ResponseGraph
        do {
            response = try await ResponseGraph(
                configuration, folder: folder, outbound: outbound, logger: logger, now: { host.now() }, say: announce)
        } catch {
            throw StartProblem("incidents and pages cannot be opened: \(Self.words(for: error, configuration))")
        }
        let engine = Engine(
            configuration: configuration.engine, control: keeper, host: host,
            probe: AdminProbe(client: outbound), journal: journal, history: history, clock: ContinuousClock(),
            witness: examiner(in: folder), alertSink: response.desk,
            businessHistory: try opened("the business history") {
                try SQLiteBusinessHistory(path: folder + "/business.sqlite")
            },
            zones: configuration.businessZones(at: host.now().wall), logLines: LogTail(folder: folder + "/logs"),
            programs: ProcPrograms(),
            releaseStore: ReleaseFolders(sites: sites) { Double(host.now().wall.milliseconds) / 1_000 },
            releaseRunner: ReleaseScripts(sites: sites, client: outbound, logFolder: folder + "/logs"),
            earlierDamage: history.damage,
            addressOf: addressOf)
        await passOnDeploys(from: response.desk, to: engine, host)
        let announcement = Announcement(configuration: configuration, say: announce, addressOf: addressOf)
        let console = ConsoleServer(
            configuration: ConsoleConfiguration(
                listen: "\(configuration.console.listen)", behindProxy: configuration.console.behindProxy,
                assetsFolder: try installation.consoleAssets()),
            controlPlane: engine, parts: response.parts, logger: logger,
            onBound: { host, port in
                response.consoleBound(host: host, port: port)
                announcement.consoleBound(port: port)
            })
        let control = ControlServer(
            socketPath: folder + "/oakum.sock", controlPlane: engine, parts: response.parts, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: response.services.map { .init(service: $0) } + [
                    .init(
                        service: EngineService(engine: engine, whenUp: { announcement.engineUp() }),
                        successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: InterruptService(engine: engine, say: announce)),
                    .init(service: control), .init(service: console),
                ],
                gracefulShutdownSignals: [.sigterm], logger: logger))
        do {
            try await group.run()
        } catch {
            throw StartProblem(Self.words(for: error, configuration))
        }
    }

    /// Deploys that people or other systems mark are weighed by the engine.
    private func passOnDeploys(
        from desk: IncidentDesk<ContinuousClock>, to engine: Engine<ContinuousClock>, _ host: ProcSampler
    ) async {
        await desk.onDeploy { service, text, at in
            let now = host.now()
            let passed = Double(max(0, now.wall.milliseconds - at.milliseconds)) / 1_000
            let moment = Moment(uptime: Uptime(seconds: now.uptime.seconds - passed), wall: at)
            // The desk knows the services: a text that is too long is all that can be wrong, and it is cut before.
            _ = try? await engine.noteDeploy(service: service, what: text, at: moment)
        }
    }

    /// Of the services that take releases.
    private func releaseSites(in folder: String) -> [String: ReleaseSite] {
        Dictionary(
            uniqueKeysWithValues: configuration.services.compactMap { service in
                service.releaseSite(state: folder).map { (service.name, $0) }
            })
    }

    /// nil when no service carries the sampler.
    private func examiner(in folder: String) -> HeapExaminer? {
        let sampled = configuration.services.filter(\.heap.sampler)
        guard !sampled.isEmpty else { return nil }
        return HeapExaminer(
            program: installation.programs + "/oakum",
            files: Dictionary(uniqueKeysWithValues: sampled.map { ($0.name, $0.heapFiles(state: folder)) }),
            symbolFolders: sampled.flatMap(\.heap.symbols).reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
    }

    private func opened<Store>(_ what: String, _ open: () throws -> Store) throws(StartProblem) -> Store {
        do {
            return try open()
        } catch let problem as StartProblem {
            throw problem
        } catch {
            throw StartProblem("\(what) cannot be opened: \(Self.words(for: error, configuration))")
        }
    }

    private static func words(for error: any Error, _ configuration: OakumConfiguration) -> String {
        switch error {
        case let problem as StartProblem: problem.description
        case WorkerControlError.addressInUse(let text):
            "\(text). Something else uses it: `ss -ltnp` shows what. Stop it, or choose another `listen`"
        case WorkerControlError.keeperLost(let text): "the keeper does not answer: \(text)"
        case WorkerControlError.refused(let text): "the keeper refused: \(text)"
        case let error as ListenError: "\(error)"
        case StoreError.diskFull(let text), StoreError.unusable(let text), StoreError.failed(let text): text
        default: "\(error)"
        }
    }
}
