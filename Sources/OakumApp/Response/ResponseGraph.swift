import DurableOutbox
import Foundation
import IncidentStoreSQLite
import Incidents
import Logging
import Notify
import OakumEngine
import OakumHTTP
import OakumModel
import Outbound
import ServiceLifecycle
import Synchronization

/// Incidents, pages and who may act on them: the response side of one `oakum up`, put together.
struct ResponseGraph {
    let desk: IncidentDesk<ContinuousClock>
    let parts: ResponseParts
    /// What runs under the service group, in the order of its start.
    let services: [any Service]
    private let address: ConsoleLocation

    /// Opens the store and takes over what was open.
    ///
    /// - Parameter now: both clocks.
    /// - Throws: `StartProblem` that says what to do.
    init(
        _ configuration: OakumConfiguration, folder: String, outbound: OutboundClient, logger: Logger,
        now: @escaping @Sendable () -> Moment, say: @escaping @Sendable (String) -> Void
    ) async throws {
        let response = configuration.response
        let waypoints = try Waypoints.described(by: ProcessInfo.processInfo.environment["OAKUM_WAYPOINTS"])
        let bootID = try Self.bootID()
        let store = try SQLiteIncidentStore(
            path: folder + "/incidents.sqlite", bootID: bootID, waypoints: waypoints)
        let notifier = try Notifier(
            channels: response.channels(state: folder), client: outbound, now: { now().wall }, console: say)
        var parts = try ResponseParts.open(
            stateFolder: folder, baseURL: "",
            intake: (response.intake?.tokens ?? []).map {
                AccessDesk.FixedToken(name: $0.name, secret: $0.token.reveal())
            }, logger: logger)
        let links = parts.links
        let address = ConsoleLocation(response.publicURL ?? configuration.console.knownURL)
        let outbox = store.outbox
        let desk = IncidentDesk(
            settings: configuration.incidentSettings(installation: store.installation) { incident, person, at in
                address.links(links, incident: incident, person: person, at: at)
            }, store: store, outcomes: store, clock: ContinuousClock(), now: now,
            whenStored: { hasPages in if hasPages { outbox.bell.ring() } },
            reached: { point in
                switch point {
                case .accepted: waypoints.reached(.accept)
                case .acknowledged: waypoints.reached(.acknowledge)
                case .committed: break
                }
            })
        try await desk.begin()
        let dispatcher = OutboxDispatcher(
            outbox: store.outbox, database: store.database, sender: PageSending(notifier: notifier),
            clock: ContinuousClock(), waypoints: waypoints,
            notice: { notice in
                switch notice {
                case .outcomes: store.announce()
                case .deserted(let count): say("\(count) pages that were being sent when oakum ended are sent again")
                case .trouble(let error): say("what becomes of pages cannot be written: \(error)")
                case .recovered: say("what becomes of pages can be written again")
                }
            })
        var services: [any Service] = [
            ResponseService(
                desk: desk, store: store, dispatcher: dispatcher, keptDays: 400, now: { now().wall }, say: say)
        ]
        if let watcher = response.deadMan {
            services.append(
                DeadMan(
                    url: watcher.url.reveal(), every: .seconds(watcher.every), client: outbound,
                    network: response.network, trouble: { await desk.problem }, say: say))
        }
        parts.incidents = desk
        let heartbeats = HeartbeatDesk(
            response.heartbeats.map(HeartbeatSettings.init), plane: desk, logger: logger, firing: await desk.firing(),
            file: HeartbeatFile(path: folder + "/heartbeats.seen", bootID: bootID))
        // The last one taken out of the configuration still ends the alert of its job.
        if !response.heartbeats.isEmpty || heartbeats.endsForgotten {
            parts.heartbeats = heartbeats
            services.append(heartbeats)
        }
        if let intake = response.intake {
            let told = parts
            services.append(
                IntakeServer(
                    listen: "\(intake.listen)", behindProxy: intake.behindProxy, isOpen: intake.tokens.isEmpty,
                    parts: told, logger: logger,
                    onBound: { host, port in say("intake: http://\(ListenAddress(host: host, port: port))") }))
        }
        self.desk = desk
        self.address = address
        self.services = services
        self.parts = parts
    }

    /// Where the console really listens: links in pages lead there, unless the configuration names an address.
    func consoleBound(host: String, port: Int) {
        address.assume("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }

    private static func bootID() throws -> String {
        try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// The address that links in pages begin with; not known before the console listens, if its port is the kernel's choice.
final class ConsoleLocation: Sendable {
    private let base: Mutex<String?>

    init(_ base: String?) {
        self.base = Mutex(base)
    }

    /// Unless an address is known already.
    func assume(_ url: String) {
        base.withLock { $0 = $0 ?? url }
    }

    func links(_ links: ActionLinks?, incident: Int64, person: String?, at now: WallTime) -> [PageLink] {
        guard let links, let base = base.withLock({ $0 }) else { return [] }
        let who = person ?? "a reader of the page"
        func address(_ action: ActionLink.Action) -> String {
            base + links.url(incident: incident, action: action, person: who, at: now)
        }
        return [
            PageLink(action: .show, title: "Show", url: base + links.url(ofIncident: incident)),
            PageLink(action: .acknowledge, title: "Acknowledge", url: address(.acknowledge)),
            PageLink(action: .resolve, title: "Resolve", url: address(.resolve)),
        ]
    }
}

extension ConsoleSettings {
    /// Nil: the port is the kernel's choice.
    fileprivate var knownURL: String? {
        listen.port == 0 ? nil : "http://\(listen)"
    }
}

extension HeartbeatSettings {
    fileprivate init(_ job: JobSettings) {
        self.init(id: job.id.reveal(), name: job.name, service: job.service, every: job.every, severity: job.severity)
    }
}
