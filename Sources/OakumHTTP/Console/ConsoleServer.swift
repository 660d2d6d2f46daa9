import Glibc
import Hummingbird
package import Logging
import NIOCore
package import OakumAPI
import OakumModel
import ServiceLifecycle

/// The web console, the JSON API, intake and links of pages, on TCP.
package struct ConsoleServer: Service {
    private let configuration: ConsoleConfiguration
    private let controlPlane: any ControlPlane
    private let parts: ResponseParts
    private let logger: Logger
    private let onBound: @Sendable (_ host: String, _ port: Int) -> Void

    /// - Parameters:
    ///   - parts: incidents, tokens, links and the audit log.
    ///   - onBound: called once connections are accepted, with the port really bound.
    package init(
        configuration: ConsoleConfiguration, controlPlane: any ControlPlane, parts: ResponseParts = .none,
        logger: Logger, onBound: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.controlPlane = controlPlane
        self.parts = parts
        self.logger = logger
        self.onBound = onBound
    }

    /// Serves until a graceful shutdown. Throws `ListenError` when the address cannot be had.
    package func run() async throws {
        let address = try ConsoleAddress(configuration.listen)
        let socketAddress = try address.socketAddress(behindProxy: configuration.behindProxy)
        let hub = StreamHub(
            plane: controlPlane, limit: configuration.maxStreams, interval: configuration.streamInterval,
            logger: logger)
        let listener = HTTPListener(
            socket: .address(socketAddress), responder: makeRouter(hub).buildResponder(),
            bodyLimit: RequestLimits.ofConsole,
            onBound: { onBound(address.host, $0.localAddress?.port ?? address.port) }, onEnding: { hub.close() },
            logger: logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await hub.run() }
            defer {
                hub.close()
                group.cancelAll()
            }
            do {
                try await listener.run()
            } catch let error as IOError {
                throw Self.explain(error, configuration.listen)
            }
        }
    }

    func makeRouter(_ hub: StreamHub) -> Router<OakumContext> {
        let router = Router(context: OakumContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Problems(headers: ConsoleHeaders.all, clock: WallClock(), hasPages: true))
        router.add(middleware: ConsoleGuard(configuration))
        router.add(
            middleware: AccessGuard(
                listener: .console(behindProxy: configuration.behindProxy), table: RoutePolicy.console, parts: parts))
        APIRoutes(plane: controlPlane, hub: hub).add(to: router)
        IncidentRoutes(parts: parts).add(to: router)
        TokenRoutes(parts: parts).add(to: router)
        OpenAPIRoute.add(to: router)
        IntakeRoutes(parts: parts, gate: IntakeGate()).add(to: router)
        HeartbeatRoutes(parts: parts).add(to: router)
        ActionLinkRoutes(parts: parts).add(to: router)
        addPages(to: router)
        return router
    }

    private func addPages(to router: Router<OakumContext>) {
        let dygraphs = StaticFiles(folder: configuration.dygraphsFolder)
        let page = ConsolePageRoute(plane: controlPlane, dygraphs: dygraphs, parts: parts)
        router.get("/") { _, context in await page.respond(context) }
        router.get("/heap") { request, _ in await HeapPageRoute(plane: controlPlane).respond(to: request) }
        IncidentPageRoutes(plane: controlPlane, parts: parts).add(to: router)
        SignInRoutes(parts: parts, behindProxy: configuration.behindProxy).add(to: router)
        let assets = StaticFiles(folder: configuration.assetsFolder)
        router.get("/assets/{name}") { request, context in
            try await assets.respond(context.parameters.get("name") ?? "", to: request, missing: .noSuchPath)
        }
        router.get("/assets/dygraphs/dygraph.min.js") { request, _ in
            try await dygraphs.respond("dygraph.min.js", to: request, missing: .noDygraphs)
        }
    }

    static func explain(_ error: IOError, _ listen: String) -> ListenError {
        switch error.errnoCode {
        case EADDRINUSE:
            .addressInUse(
                "another program listens on \(listen) already: stop it (`ss -ltnp` names it), or give the console "
                    + "another address (`console: listen:` in oakum.yaml, or --console HOST:PORT)")
        case EACCES:
            .cannotListen("no right to listen on \(listen): ports below 1024 need root; choose a higher one")
        case EADDRNOTAVAIL:
            .cannotListen("\(listen) is no address of this machine; `ip addr` lists those it has")
        default:
            .cannotListen("cannot listen on \(listen): \(String(cString: strerror(error.errnoCode)))")
        }
    }
}
