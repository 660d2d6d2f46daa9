public import Hummingbird
public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle
public import UnixSignals

/// Serves a Hummingbird responder over HTTP/1.1 so that the process can be replaced without losing a request.
///
/// It takes its listening sockets from a supervisor that speaks systemd's socket activation, or opens its own; says
/// `READY=1` when it serves; and on graceful shutdown (SIGTERM under a `ServiceGroup`) says `STOPPING=1` and drains:
/// no more connections are accepted, every connection's last answer says `Connection: close`, idle clients keep the
/// time that they were promised, and only what is left at the deadline is cut, counted and logged.
///
/// ```swift
/// let service = HandoverService(
///     responder: router.buildResponder(),
///     configuration: HandoverConfiguration(http: .hostname("127.0.0.1", port: 8080)),
///     logger: logger)
/// try await service.runService()
/// ```
public struct HandoverService<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    private let responder: Responder
    private let configuration: HandoverConfiguration
    private let logger: Logger
    private let group: any EventLoopGroup
    private let readiness: @Sendable () async -> Bool
    private let metrics: @Sendable () async -> String

    /// Makes a service; nothing is opened before `run()`.
    ///
    /// - Parameters:
    ///   - responder: Answers the requests, for example `router.buildResponder()`.
    ///   - configuration: Where to listen, and the limits.
    ///   - logger: Told when the service starts, drains and cuts.
    ///   - eventLoopGroup: A group of POSIX event loops.
    ///   - readiness: Whether the service can do its work. The first yes lets the first connection in; afterwards it
    ///     is asked for every `/readyz`. Should answer within a second.
    ///   - metrics: The application's own metrics as Prometheus text, appended to those of the service.
    public init(
        responder: Responder,
        configuration: HandoverConfiguration,
        logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        readiness: @escaping @Sendable () async -> Bool = { true },
        metrics: @escaping @Sendable () async -> String = { "" }
    ) {
        self.responder = responder
        self.configuration = configuration
        self.logger = logger
        self.group = eventLoopGroup
        self.readiness = readiness
        self.metrics = metrics
    }

    /// Serves until graceful shutdown and drains, or until cancelled and cuts.
    ///
    /// Reads and clears `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES` and `NOTIFY_SOCKET`. Throws `HandoverError` when
    /// there is no usable socket, or when a listening socket breaks (after draining). A handler that ignores both the
    /// deadline and cancellation keeps `run()` from returning; the supervisor's own deadline ends that.
    public func run() async throws {
        let supervisor = SupervisorChannel.fromEnvironment()
        let sockets = try ServiceSockets.acquire(configuration)
        defer { sockets.removeFiles() }
        let path = AnswerPath(responder: responder, serverName: configuration.serverName, logger: logger)
        let service = try Endpoint(limits: limits, group: group, logger: logger) { request, writer, channel in
            try await path.answer(request, writer, channel)
        }
        let admin = try adminEndpoint(for: service)
        for descriptor in sockets.http { service.open(descriptor) }
        if let descriptor = sockets.admin { admin.open(descriptor) }
        let run = HandoverRun(
            service: service, admin: admin, supervisor: supervisor, configuration: configuration, logger: logger,
            readiness: readiness)
        try await run.untilDrained()
    }

    /// Runs the service alone, in a `ServiceGroup` of its own that drains on the given signals.
    ///
    /// A service with companions (a database, a mailer) puts itself last into the group that runs them all, so that
    /// they outlive its drain.
    public func runService(gracefulShutdownSignals: [UnixSignal] = [.sigterm, .sigint]) async throws {
        let group = ServiceGroup(
            services: [self], gracefulShutdownSignals: gracefulShutdownSignals, logger: logger)
        try await group.run()
    }

    private var limits: Endpoint.Limits {
        Endpoint.Limits(
            connection: .init(
                idle: TimeAmount(configuration.idleWindow + configuration.idleMargin),
                header: TimeAmount(configuration.headerTimeout), body: TimeAmount(configuration.bodyTimeout),
                linger: TimeAmount(configuration.lingerTimeout), headerBytes: configuration.maximumHeaderBytes,
                lateBodyBytes: configuration.lateBodyBytes),
            idleSeconds: configuration.idleWindow.components.seconds,
            unreadAnswer: TimeAmount(configuration.unreadAnswerTimeout),
            maximumConnections: configuration.maximumConnections, backlog: configuration.backlog)
    }

    private func adminEndpoint(for service: Endpoint) throws(HandoverError) -> Endpoint {
        var limits = limits
        // The admin socket has one supervisor and perhaps one scraper as clients.
        limits.maximumConnections = 64
        limits.backlog = 128
        let responder = AdminResponder(
            service: service, processStart: ProcessStart.seconds(), readiness: readiness, metrics: metrics)
        let path = AnswerPath(responder: responder, serverName: nil, logger: logger)
        return try Endpoint(limits: limits, group: group, logger: logger) { request, writer, channel in
            try await path.answer(request, writer, channel)
        }
    }
}
