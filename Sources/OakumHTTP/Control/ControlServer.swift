import Glibc
import Hummingbird
package import Logging
import NIOCore
package import OakumAPI
import OakumModel
import ServiceLifecycle

/// The control API on a Unix socket: everything the console can read, and commands.
///
/// Only the same user and root are answered, by the kernel's word on who connects; the file's mode says the same.
package struct ControlServer: Service {
    /// Live streams on this socket at once.
    private static let maxStreams = 64

    private let socketPath: String
    private let controlPlane: any ControlPlane
    private let parts: ResponseParts
    private let logger: Logger
    private let streamInterval: Duration
    private let admits: @Sendable (_ uid: UInt32) -> Bool
    private let onBound: @Sendable () -> Void

    /// - Parameters:
    ///   - socketPath: at most 107 bytes; its folder must exist.
    ///   - parts: incidents, tokens and the audit log.
    ///   - streamInterval: how often an open stream gets an overview.
    ///   - admits: which users are answered; by default the one oakum runs as, and root.
    ///   - onBound: called once commands are accepted.
    package init(
        socketPath: String, controlPlane: any ControlPlane, parts: ResponseParts = .none, logger: Logger,
        streamInterval: Duration = .seconds(1),
        admits: @escaping @Sendable (_ uid: UInt32) -> Bool = { $0 == geteuid() || $0 == 0 },
        onBound: @escaping @Sendable () -> Void = {}
    ) {
        self.socketPath = socketPath
        self.controlPlane = controlPlane
        self.parts = parts
        self.logger = logger
        self.streamInterval = streamInterval
        self.admits = admits
        self.onBound = onBound
    }

    /// Serves until a graceful shutdown. Throws `ListenError` when the socket cannot be had.
    package func run() async throws {
        let file = try ControlSocketFile.claim(socketPath)
        defer { file.release() }
        let hub = StreamHub(
            plane: controlPlane, limit: Self.maxStreams, interval: streamInterval, logger: logger)
        let listener = HTTPListener(
            socket: .bound(file.descriptor), responder: makeRouter(hub).buildResponder(), admit: refusal,
            onBound: { _ in onBound() }, onEnding: { hub.close() }, logger: logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await hub.run() }
            try await listener.run()
            hub.close()
            group.cancelAll()
        }
    }

    func makeRouter(_ hub: StreamHub) -> Router<OakumContext> {
        let router = Router(context: OakumContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Problems(headers: [.cacheControl: "no-store"], clock: WallClock()))
        router.add(middleware: AccessGuard(listener: .control, table: RoutePolicy.control, parts: parts))
        let routes = APIRoutes(plane: controlPlane, hub: hub)
        routes.add(to: router)
        routes.addCommands(to: router)
        IncidentRoutes(parts: parts).add(to: router)
        TokenRoutes(parts: parts).add(to: router)
        OpenAPIRoute.add(to: router)
        return router
    }

    @Sendable
    private func refusal(_ channel: any Channel) async -> HTTPFailure? {
        do {
            let peer = try await PeerCredentials.of(channel)
            if admits(peer.uid) { return nil }
            logger.warning("refused a user on the control socket", metadata: ["uid": "\(peer.uid)"])
        } catch {
            // Unknown is not admitted.
            logger.debug("no credentials of a peer on the control socket", metadata: ["error": "\(error)"])
        }
        return HTTPFailure(Problem(.forbidden("only root and the user oakum runs as may use the control socket")))
    }
}
