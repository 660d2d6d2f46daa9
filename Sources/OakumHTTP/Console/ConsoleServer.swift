import Glibc
import Hummingbird
package import Logging
import NIOCore
package import OakumAPI
import OakumModel
import ServiceLifecycle

/// The web console and the JSON API, for reading only, on TCP.
package struct ConsoleServer: Service {
    private let configuration: ConsoleConfiguration
    private let controlPlane: any ControlPlane
    private let logger: Logger
    private let onBound: @Sendable (_ host: String, _ port: Int) -> Void

    /// - Parameter onBound: called once connections are accepted, with the port really bound.
    package init(
        configuration: ConsoleConfiguration, controlPlane: any ControlPlane, logger: Logger,
        onBound: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.controlPlane = controlPlane
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

    private func makeRouter(_ hub: StreamHub) -> Router<OakumContext> {
        let router = Router(context: OakumContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Problems(headers: ConsoleHeaders.all, clock: WallClock()))
        router.add(middleware: ConsoleGuard(configuration))
        APIRoutes(plane: controlPlane, hub: hub).add(to: router)
        let dygraphs = StaticFiles(folder: configuration.dygraphsFolder)
        let page = ConsolePageRoute(plane: controlPlane, dygraphs: dygraphs)
        router.get("/") { _, _ in await page.respond() }
        router.get("/heap") { request, _ in await HeapPageRoute(plane: controlPlane).respond(to: request) }
        let assets = StaticFiles(folder: configuration.assetsFolder)
        router.get("/assets/:name") { request, context in
            try await assets.respond(context.parameters.get("name") ?? "", to: request, missing: .noSuchPath)
        }
        router.get("/assets/dygraphs/dygraph.min.js") { request, _ in
            try await dygraphs.respond("dygraph.min.js", to: request, missing: .noDygraphs)
        }
        return router
    }

    private static func explain(_ error: IOError, _ listen: String) -> ListenError {
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
