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
    private let file: HeartbeatFile?
    private let keeping = Mutex(Keeping())

    private struct Keeping {
        /// Something is known that the file does not hold.
        var isDue = true
        var triedAt: Uptime?
        /// It could not be written, and that was told.
        var isFailing = false
    }

    /// - Parameters:
    ///   - firing: what fired when Oakum ended; of it those of heartbeats go on, or end when nobody asks for them any
    ///     more.
    ///   - file: when jobs were heard last; nil: after a start each has its full time.
    package init(
        _ settings: [HeartbeatSettings], plane: any IncidentPlane, clock: OwnClock = OwnClock(), logger: Logger,
        firing: [Alert] = [], file: HeartbeatFile? = nil
    ) {
        self.plane = plane
        self.clock = clock
        self.logger = logger
        self.file = file
        let told = Set(firing.map(\.fingerprint))
        let own = Set(settings.map(Self.fingerprint))
        let now = clock.now()
        let heard = Self.heard(file, at: now, logger)
        watch = Mutex(
            HeartbeatWatch(
                settings, at: now.uptime, heard: { heard[Self.key($0)] },
                isTold: { told.contains(Self.fingerprint($0)) }))
        forgotten = Mutex(
            firing.filter { $0.fingerprint.hasPrefix("\(Self.source):") && !own.contains($0.fingerprint) })
    }

    private static let source = "heartbeat"

    /// There is something to do although no job is configured any more.
    package var endsForgotten: Bool { forgotten.withLock { !$0.isEmpty } }

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
        keep(at: now)
        await endForgotten(at: now)
        for (settings, last) in watch.withLock({ $0.missed(at: now.uptime) }) {
            let silence = now.uptime - last
            let since = Moment(
                uptime: last, wall: WallTime(milliseconds: now.wall.milliseconds - Int64(silence * 1000)))
            do throws(ControlError) {
                _ = try await plane.take([.alert(Self.alert(settings, .firing, since: since, at: now))])
                watch.withLock { $0.told(settings, isMissed: true) }
                // A sign of life that came meanwhile was taken for one on time.
                if watch.withLock({ $0.last(settings) }) != last { try await tellBack(settings, at: clock.now()) }
            } catch {
                logger.error("a heartbeat's alert is not told yet", metadata: ["error": "\(error.message)"])
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
        let beat = watch.withLock { $0.beat(id, at: now.uptime) }
        if beat == .unknown { throw HTTPFailure.noSuchPath }
        keeping.withLock { $0.isDue = true }
        keep(at: now)
        guard case .back(let settings) = beat else { return }
        do throws(ControlError) {
            try await tellBack(settings, at: now)
        } catch {
            throw HTTPFailure.cannotStore(error.message)
        }
    }

    private func tellBack(_ settings: HeartbeatSettings, at now: Moment) async throws(ControlError) {
        _ = try await plane.take([.alert(Self.alert(settings, .resolved, since: now, at: now))])
        watch.withLock { $0.told(settings, isMissed: false) }
    }

    // MARK: - Across restarts

    private static func heard(_ file: HeartbeatFile?, at now: Moment, _ logger: Logger) -> [String: Uptime] {
        guard let file else { return [:] }
        do throws(PrivateFile.Failure) {
            return try file.load(at: now)
        } catch {
            logger.error(
                "nobody knows when jobs were heard last: each has its full time again", metadata: ["error": "\(error)"])
            return [:]
        }
    }

    /// Writes down who was heard when, at most once a second: what comes sooner is written with the next look.
    private func keep(at now: Moment) {
        guard let file else { return }
        keeping.withLock { keeping in
            guard keeping.isDue, keeping.triedAt.map({ now.uptime - $0 >= 0.9 }) ?? true else { return }
            keeping.triedAt = now.uptime
            var heard: [String: Uptime] = [:]
            for (settings, last) in watch.withLock({ $0.heard }) { heard[Self.key(settings)] = last }
            do throws(PrivateFile.Failure) {
                try file.store(heard, at: now)
                keeping.isDue = false
                keeping.isFailing = false
            } catch {
                if !keeping.isFailing {
                    logger.error(
                        "who was heard when is not stored: a restart now may tell of a job that is well",
                        metadata: ["error": "\(error)"])
                }
                keeping.isFailing = true
            }
        }
    }

    /// Of its line in the file.
    private static func key(_ settings: HeartbeatSettings) -> String {
        Hex.encode(Crypto.sha256(Array(fingerprint(settings).utf8)))
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
