import HTTPTypes
import Hummingbird
package import Logging
package import OakumAPI
package import OakumModel
import ServiceLifecycle
import Synchronization

/// Takes signs of life at `/heartbeat/ID`, and alerts when one does not come: a service to run beside the console.
package final class HeartbeatDesk: Service {
    /// How often it looks for what is late; the least time a job may have is ten times that.
    private static let interval = Duration.seconds(1)

    private let plane: any IncidentPlane
    private let clock: OwnClock
    private let logger: Logger
    private let watch: Mutex<HeartbeatWatch>
    /// Fired when Oakum ended, and nobody asks for them any more.
    private let forgotten: Mutex<[Alert]>

    /// - Parameter firing: what fired when Oakum ended; of it those of heartbeats go on, or end when nobody asks for them
    ///   any more.
    package init(
        _ settings: [HeartbeatSettings], plane: any IncidentPlane, clock: OwnClock = OwnClock(), logger: Logger,
        firing: [Alert] = []
    ) {
        self.plane = plane
        self.clock = clock
        self.logger = logger
        let told = Set(firing.map(\.fingerprint))
        let own = Set(settings.map(Self.fingerprint))
        watch = Mutex(
            HeartbeatWatch(settings, at: clock.now().uptime) { told.contains(Self.fingerprint($0)) })
        forgotten = Mutex(
            firing.filter { $0.fingerprint.hasPrefix("\(Self.source):") && !own.contains($0.fingerprint) })
    }

    private static let source = "heartbeat"

    /// Looks until a graceful shutdown.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.look()
                do {
                    try await Task.sleep(for: Self.interval)
                } catch {
                    // Cancelled: it ends.
                    return
                }
            }
        }
    }

    /// Tells what is late. What cannot be stored now is told with the next look.
    package func look() async {
        let now = clock.now()
        await endForgotten(at: now)
        for (settings, silence) in watch.withLock({ $0.missed(at: now.uptime) }) {
            let since = Moment(
                uptime: Uptime(seconds: now.uptime.seconds - silence),
                wall: WallTime(milliseconds: now.wall.milliseconds - Int64(silence * 1000)))
            do throws(ControlError) {
                _ = try await plane.take([.alert(Self.alert(settings, .firing, since: since, at: now))])
                watch.withLock { $0.told(settings, isMissed: true) }
            } catch {
                logger.error("a missed heartbeat is not told yet", metadata: ["error": "\(error.message)"])
            }
        }
    }

    /// What the configuration no longer names can neither come back nor be missed.
    private func endForgotten(at now: Moment) async {
        for var alert in forgotten.withLock({ $0 }) {
            alert.source = .intake
            alert.status = .resolved
            alert.summary = "no sign of life is asked for any more: it was taken out of the configuration"
            alert.at = now
            do throws(ControlError) {
                _ = try await plane.take([.alert(alert)])
                forgotten.withLock { list in list.removeAll { $0.fingerprint == alert.fingerprint } }
            } catch {
                logger.error(
                    "the end of a heartbeat's alert is not told yet", metadata: ["error": "\(error.message)"])
            }
        }
    }

    /// Returns when what follows from it is durable.
    func beat(_ id: String) async throws {
        let now = clock.now()
        switch watch.withLock({ $0.beat(id, at: now.uptime) }) {
        case .unknown: throw HTTPFailure.noSuchPath
        case .onTime: return
        case .back(let settings):
            do throws(ControlError) {
                _ = try await plane.take([.alert(Self.alert(settings, .resolved, since: now, at: now))])
            } catch {
                throw HTTPFailure.cannotStore(error.message)
            }
            watch.withLock { $0.told(settings, isMissed: false) }
        }
    }

    private static func fingerprint(_ settings: HeartbeatSettings) -> String {
        IntakeText.fingerprint(source, "\(settings.service ?? "")/\(settings.name)")
    }

    private static func alert(
        _ settings: HeartbeatSettings, _ status: Alert.Status, since: Moment, at now: Moment
    ) -> Alert {
        let every = Shown.seconds(settings.every)
        return Alert(
            source: .intake, status: status,
            fingerprint: fingerprint(settings),
            kind: .noData, service: settings.service, severity: settings.severity,
            summary: IntakeText.summary(
                status == .firing
                    ? "no sign of life from \(settings.name), which comes every \(every)"
                    : "\(settings.name) gives signs of life again"),
            since: since, at: now)
    }
}

/// `/heartbeat/ID`.
struct HeartbeatRoutes: Sendable {
    let parts: ResponseParts

    func add(to router: Router<OakumContext>) {
        router.get("/heartbeat/{id}") { _, context in try await beat(context) }
        router.post("/heartbeat/{id}") { _, context in try await beat(context) }
    }

    private func beat(_ context: OakumContext) async throws -> Response {
        guard let desk = parts.heartbeats else { throw HTTPFailure.noSuchPath }
        try await desk.beat(context.parameters.get("id") ?? "")
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }
}
