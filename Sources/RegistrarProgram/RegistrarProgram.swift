internal import BoundedCache
internal import CachePressure
internal import Glibc
internal import Hummingbird
internal import Logging
package import RegistrationCore
internal import RegistrationHTTP
internal import RegistrationStoreSQLite
internal import ServiceHandover
internal import ServiceLifecycle
internal import UnixSignals

/// Puts the registration service together and runs it until it is told to stop.
package struct RegistrarProgram {
    private let options: RegistrarOptions
    private let name: String
    private let prepare: (RegistrationParts) -> RegistrationParts

    /// `prepare` may put something in between; the shipped service puts nothing.
    package init(
        options: RegistrarOptions, name: String,
        prepare: @escaping (RegistrationParts) -> RegistrationParts = { $0 }
    ) {
        self.options = options
        self.name = name
        self.prepare = prepare
    }

    /// Returns after a polite end (SIGTERM, SIGINT); throws what keeps the service from starting, in words for a terminal.
    package func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        let logger = Logger(label: name)
        let database = try SQLiteAccountStore(path: options.database)
        let profiles = CachedProfiles(source: StoredProfiles(store: database), bytes: options.profileCache.bytes)
        let parts = prepare(RegistrationParts(accounts: database, profiles: profiles))
        let sessions = CachedSessions(store: database, bytes: options.sessionCache.bytes)
        let sodium = try Sodium()
        let hashing = try HashingPool(settings: hashingSettings, sodium: sodium)
        let metrics = RegistrarMetrics()
        let accounts = AccountService(
            store: parts.accounts, sessions: sessions, profiles: parts.profiles, hasher: hashing, secrets: sodium,
            normalise: normalisedToNFC, now: Self.wallClock)
        let router = RegistrationRoutes(accounts: accounts, metrics: metrics).router()
        logger.info(
            "starting",
            metadata: [
                "database": "\(options.database)", "hash_slots": "\(hashing.settings.slots)",
                "hash_memory": "\(options.hashMemory)", "hash_passes": "\(options.hashPasses)",
            ])
        let service = HandoverService(
            responder: RegistrationResponder(router), configuration: try handoverConfiguration(), logger: logger,
            readiness: { await accounts.isReady() },
            metrics: {
                metrics.text(hashing.statistics) + CacheMetrics.text(CacheRegistry.process.readings)
                    + parts.metrics.map { $0() }.joined()
            })
        let pressure = PressureService(logger: logger)
        try await ServiceGroup(
            services: [pressure, service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
        hashing.close()
        try database.close()
    }

    private func handoverConfiguration() throws -> HandoverConfiguration {
        let addresses = try options.addresses()
        var configuration = HandoverConfiguration(http: addresses.http, admin: addresses.admin)
        configuration.idleWindow = options.idleWindow.duration
        configuration.drainDeadline = options.drainDeadline.duration
        return configuration
    }

    private var hashingSettings: HashingSettings {
        HashingSettings(
            cost: HashCost(memoryKiB: options.hashMemory.bytes / 1024, passes: options.hashPasses),
            slots: options.hashSlots, cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            longestWait: options.hashWait.duration)
    }

    @Sendable private static func wallClock() -> UnixTime {
        UnixTime(seconds: Int64(time(nil)))
    }
}
